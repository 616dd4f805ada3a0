"""The options of `python -m metrics`."""

from pathlib import Path

from data.files.band_axis import AXES
from metrics import protocols
from utils.commandline.pair_options import add_infrared_range, add_resize_infrared
from utils.commandline.parser import SENSOR_HELP, Parser, bit_depth, positive, sensor

from .report import add_verbose

PROTOCOLS = {
    "ivf": ("both", *protocols.IVF),
    "ps": tuple(protocols.PS_REDUCED),
    "hmf": tuple(protocols.HMF),
}


def parser() -> Parser:
    """Return the parser of `python -m metrics`."""
    made = Parser(
        prog="python -m metrics",
        description="Score fused images: prints a table with published rows and trivial baselines.",
        allow_abbrev=False,
    )
    made.add_argument("--task", choices=tuple(PROTOCOLS), required=True, help="task that the images were fused for")
    made.add_argument("--fused", type=Path, required=True, help="folder or file of fused images")
    made.add_argument("--infrared", type=Path, help="ivf: folder or file of infrared (or CT, PET) images")
    made.add_argument("--visible", type=Path, help="ivf: folder or file of visible (or MRI) images")
    made.add_argument(
        "--data",
        type=Path,
        help="ivf: a folder with both in subfolders; ps: the .h5 or .mat with gt, or ms and pan; "
        "hmf: CAVE's folder, or reference cubes (.mat, .npy, .tif)",
    )
    made.add_argument("--name", help="name of the method in the table (default: the name of --fused)")
    made.add_argument(
        "--protocol", help="metrics; ivf: both, paper, cddfuse; ps: toolbox, whole, released; hmf: group, released"
    )
    made.add_argument("--ratio", type=int, choices=(2, 4, 8, 16), default=4, help="hmf: resolution ratio")
    made.add_argument("--axes", choices=tuple(AXES), help="ps, hmf: order of the axes, if the shape leaves it open")
    made.add_argument("--sensor", type=sensor, help=f"ps: {SENSOR_HELP} (default: the file's own)")
    made.add_argument("--bits", type=bit_depth, help="bit depth of the sources (default: by their type or data set)")
    made.add_argument(
        "--fused-bits",
        type=bit_depth,
        help="bit depth of the fused images; 1: in [0, 1] (default: ivf: by their type; ps, hmf: as the sources)",
    )
    add_infrared_range(made, "ivf: ")
    add_resize_infrared(made, "ivf: ")
    made.add_argument("--limit", type=positive, help="number of images to score, from the first (default: all)")
    add_verbose(made)
    made.add_argument("--output", type=Path, help="folder for metrics.json, .csv, .md and .tex (default: print only)")
    return made
