"""Fuse multi-focus or multi-exposure photographs with DeFusion++, in colour: images, a figure, tables.

    python test_peers.py multifocus                               two pairs made from embedded photographs
    python test_peers.py multiexposure --data DIR --weights FILE  your pairs, trained weights
    python test_peers.py multifocus --first NEAR --second FAR     two folders of the same names, or two files

DIR holds pairs NAME-A.jpg, NAME-B.jpg (or _1, _2), or one folder per scene; of several exposures the darkest and the
brightest are fused. Infrared-visible pairs: `test_dcinn_ivf_tno.py --methods dcinn,auif,cddfuse,defusion`.
"""

import functools

from utils.evaluation.parser import evaluation_script
from utils.evaluation.photographs import run_photographs


@functools.partial(evaluation_script, advice="expected smaller images")
def main(argv: list[str] | None = None) -> dict:
    """Run with these command line options (sys.argv by default); returns the content of metrics.json."""
    return run_photographs("Multi-focus and multi-exposure fusion with DeFusion++.", argv)


if __name__ == "__main__":
    main()
