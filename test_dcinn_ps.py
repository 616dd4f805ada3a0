"""Pansharpen: fuse multispectral and panchromatic images at reduced and full resolution: scenes, a figure, tables.

    python test_dcinn_ps.py                                      the embedded sample
    python test_dcinn_ps.py --data FILE --weights FILE           PanCollection .h5 or .mat, trained weights
    python test_dcinn_ps.py --ms FILE --pan FILE --weights FILE  one scene of any size, from disk to disk by tiles

A file with gt is scored against it. A file with ms and pan alone is fused as it is (full resolution), and reduced by
Wald's protocol, its MS then being the reference.
"""

from utils.evaluation.pansharpening import run_ps
from utils.evaluation.parser import evaluation_script


@evaluation_script
def main(argv: list[str] | None = None) -> dict:
    """Run with these command line options (sys.argv by default); returns the content of metrics.json."""
    return run_ps("Pansharpening with DCINN.", argv)


if __name__ == "__main__":
    main()
