"""Fuse infrared and visible images with the DCINN of TNO (base rule max): images, a figure, a table.

    python test_dcinn_ivf_tno.py                                  the embedded sample
    python test_dcinn_ivf_tno.py --data DIR --weights FILE        your pairs, trained weights

DIR holds one subfolder of visible images (vi, vis, visible, MRI, ...) and one of infrared images (ir, infrared, CT,
...), paired by file name.
"""

from utils.evaluation.infrared_visible import run_ivf
from utils.evaluation.parser import evaluation_script


@evaluation_script
def main(argv: list[str] | None = None) -> dict:
    """Run with these command line options (sys.argv by default); returns the content of metrics.json."""
    return run_ivf("ivf_tno", "Infrared-visible fusion with DCINN, TNO model.", "max", argv)


if __name__ == "__main__":
    main()
