"""The command `python -m data`, which writes patches of scenes to the H5 files that the training scripts read."""

from pathlib import Path
from types import SimpleNamespace

from data import PanCollection
from data.errors import DataError
from data.patches.h5 import H5_KEYS, write_patches
from data.patches.hyperspectral import SpectralPatches
from data.patches.joined import JoinedPatches
from data.patches.pansharpening import PanScenePatches
from data.patches.training_images import training_scenes
from data.simulate import PAN_FILTERS, spectral_response

from .commandline.errors import UsageError
from .commandline.parser import SENSOR_HELP, Parser, bit_depth, positive, sensor, span
from .commandline.srf_option import read_srf
from .commandline.terminal import say

PS_KEYS = {"gt": "gt", "base_image": "lms", "ms": "ms", "guide": "pan"}


def parser() -> Parser:
    """Return the parser of the three subcommands."""
    made = Parser(prog="python -m data", description="Prepare training patches.", allow_abbrev=False)
    commands = made.add_subparsers(dest="task", required=True)
    hmf = commands.add_parser("hmf", help="GT, HSI_up, LRHSI, RGB in [0, 1] from CAVE's or Harvard's scenes")
    hmf.add_argument("--scenes", nargs="+", help="scenes by name (default: all, of CAVE all but the 11 test scenes)")
    hmf.add_argument("--ratio", type=int, choices=(2, 4, 8, 16), default=4, help="resolution ratio")
    hmf.add_argument("--srf", type=Path, help="spectral response, .csv, .npy, .mat (default: Nikon D700)")
    ps = commands.add_parser("ps", help="gt, lms, ms, pan in digital numbers from a scene, by Wald's protocol")
    ps.add_argument("--sensor", type=sensor, help=f"{SENSOR_HELP} (default: the file's own)")
    ps.add_argument("--pan-filter", choices=PAN_FILTERS, default="mtf", help="filter of the pan in Wald's protocol")
    ps.add_argument("--rows", type=span, help="FIRST:END, rows of the ms to take patches from (default: all)")
    join = commands.add_parser("join", help="join several files of ps; sensors and bit depths may differ")
    join.add_argument("--data", type=Path, nargs="+", required=True, help="prepared .h5 files, patches of one size")
    join.add_argument("--output", type=Path, required=True, help="the .h5 file to write")
    for command in (hmf, ps):
        command.add_argument("--data", type=Path, required=True, help="folder of scenes (hmf), .mat or .h5 file (ps)")
        command.add_argument("--output", type=Path, required=True, help="the .h5 file to write")
        command.add_argument("--patch", type=positive, default=64, help="side of a patch")
        command.add_argument("--stride", type=positive, default=32, help="step between patches in pixels")
        command.add_argument("--bits", type=bit_depth, help="bit depth of the source (default: its own)")
    return made


def run(argv: list[str] | None = None) -> int:
    """Parse the options and write the file; returns the number of patches."""
    args = parser().parse_args(argv)
    if args.output.exists():
        raise UsageError(f"{args.output}: found a file or folder, expected a new file")
    if not args.output.parent.is_dir():
        raise UsageError(f"{args.output.parent}: found no such folder, expected one for the file")
    try:
        source, keys, scale, about = {"hmf": _hmf, "ps": _ps, "join": _join}[args.task](args)
    except DataError:
        raise
    except ValueError as error:
        raise UsageError(str(error)) from None
    count = write_patches(args.output, source, keys, scale, about)
    side = f" of {args.patch}x{args.patch}" if args.task != "join" else f" of {len(args.data)} files"
    say(f"{count} patches{side} in {args.output}")
    return count


def _hmf(args: SimpleNamespace) -> tuple:
    srf = read_srf(args.srf) if args.srf else spectral_response()
    scenes, _ = training_scenes(args.data, args.scenes, args.bits)
    source = SpectralPatches(scenes, srf, args.ratio, args.patch, args.stride)
    return source, H5_KEYS, 1.0, {"ratio": args.ratio}


def _ps(args: SimpleNamespace) -> tuple:
    file = PanCollection(args.data, sensor=args.sensor, bits=args.bits, rows=args.rows)
    if file.has_reference or file.ms_sides is None or len(file) != 1:
        found = "gt" if file.has_reference else "lms without ms" if file.ms_sides is None else f"{len(file)} scenes"
        raise DataError(args.data, found, "one scene with ms and pan")
    item, ratio = file[0], file.ratio
    h, w = (side // ratio * ratio for side in file.ms_sides)
    about = {"sensor": file.sensor, "ratio": ratio, "pan_filter": args.pan_filter, "name": str(args.data)}
    source = PanScenePatches(
        item["ms"][:, :h, :w],
        item["pan"][0, : h * ratio, : w * ratio],
        **about,
        patch=args.patch,
        stride=args.stride,
    )
    return source, PS_KEYS, file.scale, {"L": file.bits, "sensor": file.sensor, "ratio": ratio}


def _join(args: SimpleNamespace) -> tuple:
    source = JoinedPatches(args.data)
    about = {"L": source.bits, "sensor": source.sensor, "ratio": source.ratio}
    return source, PS_KEYS, 2**source.bits - 1, about
