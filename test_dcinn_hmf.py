"""Fuse low-resolution hyperspectral with high-resolution multispectral images: scenes, a figure, a table.

    python test_dcinn_hmf.py                                     the embedded sample
    python test_dcinn_hmf.py --data CAVE_DIR --weights FILE      CAVE, trained weights; x8 with --ratio 8
    python test_dcinn_hmf.py --hsi FILE --msi FILE               a measured scene, fused without a table

The scenes of --data are degraded by the published protocol and measured against the originals.
"""

from utils.evaluation.hyperspectral import run_hmf
from utils.evaluation.parser import evaluation_script


@evaluation_script
def main(argv: list[str] | None = None) -> dict:
    """Run with these command line options (sys.argv by default); returns the content of metrics.json."""
    return run_hmf("Hyperspectral-multispectral fusion with DCINN.", argv)


if __name__ == "__main__":
    main()
