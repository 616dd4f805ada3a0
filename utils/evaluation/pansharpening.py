"""The test of pansharpening, at reduced resolution (Wald's protocol, a reference) and at full resolution (none)."""

import argparse
from pathlib import Path

import numpy as np

from data.errors import DataError
from data.files.raster_windows import Windows
from data.files.remarks import Routine
from data.pan_scenes import PanScenes, zero_borders
from data.pancollection import DEFAULT_BITS, SENSOR_BITS
from data.simulate import PAN_FILTERS
from metrics import protocols
from metrics.sensors import ms_gains
from metrics.table import Table
from models import dcinn_ps
from models.weights.files import PRETRAINED
from utils.commandline.errors import UsageError
from utils.commandline.parser import SENSOR_HELP, bit_depth, number, sensor, span
from utils.commandline.terminal import say
from utils.output.figures import Panel, comparison_figure, error_map
from utils.output.geotiff_file import check_rasterio
from utils.output.images import FORMATS, stretch, to_eight_bit, write_bands, write_png

from .evaluation import Evaluation, read_through
from .parser import evaluation_parser
from .pick_network import Network, pick_model
from .scene_by_tiles import fuse_scene
from .scene_pair import ScenePair
from .sharing import result_folder
from .table_rows import add_scene_ps

ROWS_HELP = (
    "FIRST:END, rows of the ms to test, with the same part of the pan, to leave out rows trained on (default: all)"
)
NODATA_HELP = "with --ms and --pan: value of pixels without measurement, or nan (default: the files' GDAL_NODATA)"
MOST_SHOWN = 384  # largest side in the comparison figure in pixels; of larger scenes it shows the middle

FOUR_BANDS, FOUR_BANDS_ORDER = "ps4", "blue, green, red, near infrared"


def default_weights(bands: int) -> str:
    """Return the name in pretrained/ of a scene's default weights: "ps4" for four bands if it exists, else "ps"."""
    return FOUR_BANDS if bands == 4 and (PRETRAINED / f"{FOUR_BANDS}.pth").is_file() else "ps"


def order_of_bands(network: Network) -> list[str]:
    """Return a remark on the order of the bands if the network has the weights for four bands."""
    if network.name != FOUR_BANDS:
        return []
    return [f"{network.label}: the weights for four bands in the order {FOUR_BANDS_ORDER} (--weights)."]


def run_ps(description: str, argv: list[str] | None) -> dict:
    """Parse the options of test_dcinn_ps.py, fuse, write and print; returns the content of metrics.json."""
    parser = evaluation_parser(
        "ps",
        description,
        "PanCollection .h5 or a .mat file with ms (I_MS) and pan (I_PAN)",
        ", ps4.pth for four bands",
        "--ms and --pan",
    )
    parser.add_argument(
        "--sensor", type=sensor, help=f"{SENSOR_HELP} (default: the file's, else one in its name, else none)"
    )
    parser.add_argument(
        "--bits",
        type=bit_depth,
        help="bit depth of the digital numbers; 1: in [0, 1] (default: the file's, else 10 for GF2 and 11 for others)",
    )
    parser.add_argument("--rows", type=span, help=ROWS_HELP)
    parser.add_argument("--resolution", choices=("both", "reduced", "full"), default="both", help="resolutions to test")
    parser.add_argument(
        "--pan-filter", choices=PAN_FILTERS, default="mtf", help="with --data: filter of the pan in Wald's protocol"
    )
    parser.add_argument("--format", choices=FORMATS, default="mat", help="with --data: file format of the fused scenes")
    parser.add_argument(
        "--protocol",
        choices=tuple(protocols.PS_REDUCED),
        default="toolbox",
        help="metrics at reduced resolution: with the DLPan-Toolbox's border cut, of whole images, or the authors' own",
    )
    parser.add_argument("--ms", type=Path, help="MS image of one scene of any size (.tif, .npy, .hdr), with --pan")
    parser.add_argument("--pan", type=Path, help="pan image of that scene, 2, 4 or 8 times as large in each direction")
    parser.add_argument("--nodata", type=number, help=NODATA_HELP)
    parser.add_argument("--cog", action="store_true", help="with --ms and --pan: write a cloud-optimised GeoTIFF")
    args = parser.parse_args(argv)

    if args.nodata is not None and not (args.ms and args.pan):
        raise UsageError("--nodata: found without --ms and --pan, expected with them")
    if args.cog and not (args.ms and args.pan):
        raise UsageError("--cog: found without --ms and --pan, expected with them")
    if args.ms or args.pan:
        return _fuse_scene(args)
    if args.data is None and (args.sensor or args.bits or args.rows):
        raise UsageError("--sensor, --bits, --rows: found without --data, expected with it")
    scenes = PanScenes(args.data, args.sensor, args.bits, args.pan_filter, args.rows)
    if args.resolution == "full" and scenes.has_reference:
        raise UsageError(f"{args.data}: found a reduced-resolution file (it has gt), expected ms and pan alone")
    if args.resolution == "reduced" and (why := scenes.cannot_reduce()):
        raise UsageError(f"{args.data}: found {why}; --resolution full needs none of it")
    network = pick_model(args, default_weights(scenes.bands), lambda: dcinn_ps(scenes.bands))
    if network.model.config.bands != scenes.bands:
        expected = f"{network.model.config.bands} of the weights (--weights)"
        raise UsageError(f"{args.data or 'sample'}: found {scenes.bands} bands, expected {expected}")
    source, measured = scenes.file.label if scenes.file else None, not args.no_metrics
    run = Evaluation("ps", network, source, args.tile, args.pooling, measured=measured, verbose=args.verbose)
    run.doubts += [] if args.weights else order_of_bands(network)
    return evaluate_scenes(run, scenes, args.resolution, args.output, args.format, args.limit, args.protocol)


def _fuse_scene(args: argparse.Namespace) -> dict:
    """Fuse the scene of --ms and --pan, without a table, as there is no reference; returns a summary."""
    if args.data is not None or not (args.ms and args.pan):
        raise UsageError("--ms, --pan: found one of them or --data as well, expected both and no --data")
    of_files = {
        "limit": None,
        "resolution": "both",
        "format": "mat",
        "protocol": "toolbox",
        "rows": None,
        "no_metrics": False,
    }
    for name, default in of_files.items():
        if getattr(args, name) != default:
            raise UsageError(f"--{name.replace('_', '-')}: found beside --ms and --pan, expected with --data only")
    if args.cog:
        check_rasterio()
    ms = Windows(args.ms)
    bands = ms.shape[0]
    if bands == 1:
        raise DataError(args.ms, "one band", "an MS image; are --ms and --pan swapped?")
    network = pick_model(args, default_weights(bands), lambda: dcinn_ps(bands))
    for remark in [] if args.weights else order_of_bands(network):
        say(f"* {remark}")
    if bands != network.model.config.bands:  # the axis of the bands may be the other one
        ms = Windows(args.ms, bands=network.model.config.bands)
    bits = args.bits or SENSOR_BITS.get((args.sensor or "").upper(), DEFAULT_BITS)
    scene = ScenePair(ms, Windows(args.pan, bands=1), 2**bits - 1, args.nodata)
    path = fuse_scene(network, scene, args.output, args.tile, args.pooling, args.cog, args.verbose)
    return {"task": "ps", "weights": network.label, "fused": str(path), "notes": scene.notes}


def evaluate_scenes(
    run: Evaluation,
    scenes: PanScenes,
    resolution: str,
    output: Path,
    suffix: str = "mat",
    limit: int | None = None,
    protocol: str = "toolbox",
) -> dict:
    """Fuse and measure scenes at each resolution, and write the results; returns the content of metrics.json.

    The results are the tables, RESOLUTION/NAME.SUFFIX in digital numbers, RESOLUTION/NAME_rgb.png and comparison.png.

    Args:
        run: the evaluation, with its network.
        scenes: the scenes.
        resolution: "both", "reduced" or "full"; files with a reference are always "reduced".
        output: folder of the results.
        suffix: file format of the fused scenes, one of `FORMATS`.
        limit: largest number of scenes, the first ones; None takes all.
        protocol: "toolbox", "whole" or "released" at reduced resolution, see `metrics.protocols`.
    """
    kinds = ["reduced"] if scenes.has_reference else ["reduced", "full"] if resolution == "both" else [resolution]
    count = min(len(scenes), limit or len(scenes))
    tables, rows = [], []
    why = scenes.cannot_reduce()
    if why and kinds == ["reduced", "full"]:
        kinds = ["full"]
        run.notes[f"not reduced by Wald's protocol: found {why}"] += 1
    with result_folder(output, [scenes.file.path] if scenes.file else []) as folder:
        if scenes.file:
            read_through(scenes.file, count, "scene")
        for kind in kinds:
            table = scene_table(run, kind, scenes, protocol)
            shares = run.shares(count, [table], "scene", f"fusing, {kind}")
            for index in shares:
                item = scenes.reduced(index) if kind == "reduced" else scenes.full(index)
                fused = run.fuse(item["lms"], item["pan"])
                name, gt = item["name"], item.get("gt")
                run.notes.update(zero_borders(item))
                if kind == "reduced" and scenes.crops():
                    run.notes[f"ms cropped to {gt.shape[1]}x{gt.shape[2]}, whole reduced pixels"] += 1
                like = item["lms"] if gt is None else gt
                write_bands(folder.path(f"{kind}/{name}.{suffix}"), fused, scenes.scale)
                write_png(folder.path(f"{kind}/{name}_rgb.png"), to_eight_bit(stretch(fused, like)))
                if run.measured:
                    add_scene_ps(*shares.tables, item, run.label, fused, scenes.scale)
                if index < 2:
                    shares.keep("rows", _panels(f"{name}, {kind}", item, fused))
            tables.append(table)
            rows += shares.found["rows"]
        comparison_figure(folder.path("comparison.png"), rows, run.caption)
        result = run.write(folder, tables)
    run.say(folder.target, tables, folder.put_away)
    return result


def scene_table(run: Evaluation, kind: str, scenes: PanScenes, protocol: str = "toolbox") -> Table:
    """Return the empty table for "reduced" or "full" resolution, with remarks on the simulation."""
    about = {"ratio": scenes.ratio, "sensor": scenes.sensor}
    if kind == "full":
        return run.table("Pansharpening, full resolution", protocols.PS_FULL, "toolbox", "ps_full", **about)
    columns = protocols.PS_REDUCED[protocol]
    table = run.table("Pansharpening, reduced resolution", columns, protocol, "ps_reduced", **about)
    if not scenes.has_reference:
        known = ms_gains(scenes.sensor) is not None
        gains = (
            f"sensor {scenes.sensor}" if known else f"sensor '{scenes.sensor}' without gains of its own: 0.3, pan 0.15"
        )
        told = f"Reduced by Wald's protocol, MTF of {gains}; pan filter {scenes.pan_filter} (data/README.md)."
        table.remark(Routine(told) if known else told)
    return table


def _panels(title: str, item: dict, fused: np.ndarray) -> list[Panel]:
    height, width = fused.shape[1:]
    top, left = max(0, (height - MOST_SHOWN) // 2), max(0, (width - MOST_SHOWN) // 2)
    window = (slice(None), slice(top, top + MOST_SHOWN), slice(left, left + MOST_SHOWN))
    gt = item.get("gt")
    like = (item["lms"] if gt is None else gt)[window]
    pan = item["pan"][window][0]
    panels = [
        Panel(f"{title}: pan", np.clip(pan / max(float(np.percentile(pan, 99)), 1e-6), 0, 1)),
        Panel("lms", stretch(item["lms"][window], like)),
        Panel("fused", stretch(fused[window], like)),
    ]
    if gt is not None:
        panels.append(Panel("reference", stretch(gt[window])))
        panels.append(Panel("error", error_map(fused[window], gt[window]) * 255, "mean |difference|, of 255"))
    return panels
