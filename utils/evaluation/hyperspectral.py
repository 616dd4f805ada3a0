"""The test of hyperspectral-multispectral fusion: scenes are degraded, fused, and measured against the original."""

from pathlib import Path

import numpy as np

from data import CAVE
from data.hyperspectral import CAVE_BITS, CAVE_TEST, fusion_inputs
from data.samples import sample_hyperspectral
from data.simulate import spectral_response
from metrics import protocols
from metrics.table import Table
from models import dcinn_hmf
from utils.commandline.errors import UsageError
from utils.commandline.parser import bit_depth
from utils.commandline.srf_option import read_response
from utils.commandline.terminal import say
from utils.output.figures import MOST_ROWS, Panel, comparison_figure, error_map
from utils.output.images import FORMATS, stretch, to_eight_bit, write_bands, write_png

from .cube_weights import default_weights, trained_elsewhere
from .evaluation import Evaluation, read_through
from .measured_cube import MEASURED_ONLY, add_measured_options, fuse_measured
from .parser import evaluation_parser
from .pick_network import pick_model
from .report import Convention
from .sharing import result_folder
from .table_rows import add_scene_hmf

RATIO = 4  # default resolution ratio, that of the paper's first tables


def run_hmf(description: str, argv: list[str] | None) -> dict:
    """Parse the options of test_dcinn_hmf.py, fuse, write and print; returns the content of metrics.json."""
    parser = evaluation_parser(
        "hmf",
        description,
        "folder of CAVE scenes (<scene>_ms/<scene>_ms/<scene>_ms_01.png ...)",
        ", hmf_x8.pth at ratio 8",
        "--hsi and --msi",
    )
    parser.add_argument("--scenes", nargs="+", help="names of scenes, or 'all' (default: test scenes in the folder)")
    parser.add_argument("--ratio", type=int, choices=(2, 4, 8, 16), help="resolution ratio (default: 4)")
    parser.add_argument(
        "--srf",
        type=Path,
        help="spectral response, .csv, .npy, .mat (default: the weights' own, else Nikon D700)",
    )
    parser.add_argument(
        "--bits",
        type=bit_depth,
        help="bit depth of the band images or of --hsi; 1: in [0, 1] (default: 16; of --hsi that of its type)",
    )
    parser.add_argument("--format", choices=FORMATS, default="mat", help="file format of the fused scenes")
    parser.add_argument(
        "--protocol",
        choices=tuple(protocols.HMF),
        default="group",
        help="metrics of the published tables, or as the authors' released code computes them",
    )
    add_measured_options(parser)
    args = parser.parse_args(argv)

    measured = args.hsi or args.msi
    for name in () if measured else MEASURED_ONLY:
        if getattr(args, name) is not parser.get_default(name):
            raise UsageError(f"--{name.replace('_', '-')}: found without --hsi and --msi, expected with them")
    if args.data is None and not measured and (args.scenes or args.bits):
        raise UsageError("--scenes, --bits: found without --data, expected with it; the sample has its own")
    args.srf, notes = read_response(args.srf) if args.srf else (None, [])
    if measured:
        for note in notes:
            say(f"* {note}")
        return fuse_measured(args)
    ratio = args.ratio or RATIO
    srf = spectral_response() if args.srf is None else args.srf
    scenes: CAVE | list[dict]
    if args.data is None:
        scenes, source = sample_hyperspectral(), None
    else:
        scenes = CAVE(args.data, bits=args.bits)
        names = args.scenes or [s for s in CAVE_TEST if s in scenes.scenes] or ["all"]
        if names != ["all"]:
            scenes = CAVE(args.data, tuple(names), bits=args.bits)
        source = str(args.data)
    network = pick_model(args, default_weights(ratio), lambda: dcinn_hmf(len(srf), srf=srf), srf=spectral_response())
    run, scale = (
        Evaluation("hmf", network, source, args.tile, args.pooling, measured=not args.no_metrics, verbose=args.verbose),
        2 ** (args.bits or CAVE_BITS) - 1,
    )
    run.doubts += [*getattr(scenes, "remarks", []), *notes]
    return evaluate_scenes(run, scenes, ratio, args.output, args.format, scale, args.limit, args.protocol)


def evaluate_scenes(
    run: Evaluation,
    scenes: CAVE | list[dict],
    ratio: int,
    output: Path,
    suffix: str = "mat",
    scale: int = 2**CAVE_BITS - 1,
    limit: int | None = None,
    protocol: str = "group",
) -> dict:
    """Degrade, fuse and measure scenes, and write the results; returns the content of metrics.json.

    The results are the tables, fused/NAME.SUFFIX in digital numbers, fused/NAME_rgb.png and comparison.png.

    Args:
        run: the evaluation, with its network.
        scenes: `CAVE` or a list of its items.
        ratio: resolution ratio.
        output: folder of the results.
        suffix: file format of the fused scenes, one of `FORMATS`.
        scale: digital number of 1 in the fused files.
        limit: largest number of scenes, the first ones; None takes all.
        protocol: "group" or "released", see `metrics.protocols`.
    """
    table, srf = scene_table(run, ratio, protocol), np.array(run.model.config.srf)
    count = min(len(scenes), limit or len(scenes))
    with result_folder(output) as folder:
        read_through(scenes, count, "scene")
        shares = run.shares(count, [table], "scene")
        for index in shares:
            scene = scenes[index]
            gt = whole(scene["gt"], ratio, scene["name"], run)
            if len(gt) != len(srf):
                raise UsageError(f"{scene['name']}: found {len(gt)} bands, expected {len(srf)} of the response")
            inputs = fusion_inputs(gt, srf, ratio)
            fused = run.fuse(inputs["hsi_up"], inputs["rgb"])
            write_bands(folder.path(f"fused/{scene['name']}.{suffix}"), fused, scale)
            write_png(folder.path(f"fused/{scene['name']}_rgb.png"), to_eight_bit(stretch(fused, gt)))
            if run.measured:
                add_scene_hmf(*shares.tables, scene["name"], run.label, fused, gt, inputs)
            if index < MOST_ROWS:
                shares.keep("rows", _panels(scene["name"], inputs, fused, gt))
        comparison_figure(folder.path("comparison.png"), shares.found["rows"], f"{run.caption}, x{ratio}")
        result = run.write(folder, [table])
    run.say(folder.target, [table], folder.put_away)
    return result


def scene_table(run: Evaluation, ratio: int, protocol: str = "group") -> Table:
    """Return the empty table for a resolution ratio, with remarks on degradation, response and weights."""
    title = f"Hyperspectral-multispectral fusion x{ratio}"
    table = run.table(title, protocols.HMF[protocol], protocol, ratio=ratio)
    table.remark(Convention("Degradation: 3x3 Gaussian, sigma 0.5, decimation from index ratio/2."))
    srf, d700 = np.array(run.model.config.srf), spectral_response()
    if run.source and not (srf.shape == d700.shape and np.allclose(srf, d700, atol=1e-4)):
        table.comparable = False
        table.remark("Another spectral response than the published tables' Nikon D700.")
    if remark := trained_elsewhere(run.network, ratio):
        run.doubts.append(remark)
    return table


def whole(gt: np.ndarray, ratio: int, name: str, run: Evaluation) -> np.ndarray:
    """Return a scene (B, H, W) with sides cropped to multiples of the ratio, and note it if any were cropped."""
    height, width = (s // ratio * ratio for s in gt.shape[1:])
    if not height or not width:
        raise UsageError(f"{name}: found {gt.shape[1]}x{gt.shape[2]} pixels, expected sides of at least {ratio}")
    if (height, width) != gt.shape[1:]:
        run.notes[f"{gt.shape[1]}x{gt.shape[2]} cropped to {height}x{width}, whole low-resolution pixels"] += 1
    return gt[:, :height, :width]


def _panels(name: str, inputs: dict, fused: np.ndarray, gt: np.ndarray) -> list[Panel]:
    return [
        Panel(f"{name}\nupsampled HSI", stretch(inputs["hsi_up"], gt)),
        Panel("multispectral image", _colour(inputs["rgb"])),
        Panel("fused", stretch(fused, gt)),
        Panel("reference", stretch(gt)),
        Panel("error", error_map(fused, gt) * 255, "mean |difference|, of 255"),
    ]


def _colour(msi: np.ndarray) -> np.ndarray:
    """Return a picture (H, W, 3) in [0, 1] of (channels, H, W), channels ordered from short to long wavelengths."""
    shown = msi[::-1] if len(msi) == 3 else msi[[-1, len(msi) // 2, 0]]
    return np.moveaxis(np.clip(shown / max(float(np.percentile(msi, 99)), 1e-6), 0, 1), 0, -1)
