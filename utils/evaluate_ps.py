"""The pansharpening test, at reduced resolution (Wald's protocol, a reference) and at full resolution (none)."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from data import DataError, PanCollection
from data.samples import SAMPLE_BITS, SAMPLE_SENSOR, sample_pan_scene
from data.simulate import MTF_GAINS, PAN_FILTERS, interp23, wald
from metrics import d_lambda, d_s, ergas, psnr, qnr, sam, ssim
from metrics.no_reference import BLOCK
from metrics.report import Table
from models import dcinn_ps

from . import cli
from .figures import Panel, comparison_figure, error_map
from .images import FORMATS, stretch, to_eight_bit, write_bands, write_png
from .runs import ResultFolder, Run

MOST_SHOWN = 384  # pixels of a side in the comparison figure; larger scenes show their middle


class Scenes:
    """Items of a file, or of the sample, at both resolutions where it has what they need.

    Args:
        path: the data file, or None for the embedded sample.
        sensor, bits: see `PanCollection`.
        pan_filter: see `wald`.
    """

    def __init__(
        self, path: Path | None, sensor: str | None = None, bits: int | None = None, pan_filter: str = "mtf"
    ) -> None:
        self.file = None if path is None else PanCollection(path, sensor=sensor, bits=bits)
        self.pan_filter = pan_filter
        self.sensor = self.file.sensor if self.file else SAMPLE_SENSOR
        self.scale = self.file.scale if self.file else 2**SAMPLE_BITS - 1
        self.bands = self.file.bands if self.file else 8
        self.ratio = self.file.ratio if self.file else 4
        self.has_reference = bool(self.file and self.file.has_reference)

    def __len__(self) -> int:
        return len(self.file) if self.file else 1

    def full(self, index: int) -> dict:
        """The scene as it is: lms, ms, pan."""
        if self.file:
            return self.file[index]
        scene = sample_pan_scene()
        lms = interp23(np.moveaxis(scene["ms"], 0, -1), self.ratio)
        return {**scene, "lms": np.moveaxis(lms, -1, 0).astype(np.float32)}

    def reduced(self, index: int) -> dict:
        """The scene with a reference: its own, or by Wald's protocol."""
        if self.has_reference:
            return self.file[index]
        return reduced(self.full(index), self.sensor, self.ratio, self.pan_filter)


def reduced(item: dict, sensor: str, ratio: int, pan_filter: str = "mtf") -> dict:
    """Wald's protocol on an item with ms and pan, bands first, sides cropped to whole reduced pixels."""
    if item["ms"] is None:
        raise DataError(item["name"], "lms without ms", "ms, to reduce the resolution by Wald's protocol")
    ms, pan = np.moveaxis(item["ms"], 0, -1), item["pan"][0]
    h, w = (s // ratio * ratio for s in ms.shape[:2])
    if min(h, w) == 0:
        raise DataError(item["name"], f"ms of {ms.shape[0]}x{ms.shape[1]} pixels", f"sides of at least {ratio}")
    images = wald(ms[:h, :w], pan[: h * ratio, : w * ratio], sensor=sensor, ratio=ratio, pan_filter=pan_filter)
    pan = images.pop("pan")[None].astype(np.float32)
    return {"name": item["name"], "pan": pan} | {k: np.moveaxis(v, -1, 0).astype(np.float32) for k, v in images.items()}


def run_ps(description: str, argv: list[str] | None) -> dict:
    """Parse the options of test_dcinn_ps.py, fuse, write and print; returns what metrics.json holds."""
    parser = cli.test_parser("ps", description, "PanCollection .h5 or a .mat file with ms (I_MS) and pan (I_PAN)")
    parser.add_argument("--sensor", help="WV3, WV2, QB, GF2, IKONOS, ... (its MTF); the file's own if left out")
    parser.add_argument("--bits", type=cli.positive, help="bit depth of the digital numbers; the file's own, else 11")
    parser.add_argument("--resolution", choices=("both", "reduced", "full"), default="both", help="what to run")
    parser.add_argument("--pan-filter", choices=PAN_FILTERS, default="mtf", help="of the pan in Wald's protocol")
    parser.add_argument("--format", choices=FORMATS, default="mat", help="of the fused scenes")
    args = parser.parse_args(argv)

    scenes = Scenes(args.data, args.sensor, args.bits, args.pan_filter)
    gains = MTF_GAINS.get(scenes.sensor.upper())
    if gains and len(gains) != scenes.bands and not scenes.has_reference:
        raise DataError(args.data, f"{scenes.bands} bands", f"{len(gains)} of sensor {scenes.sensor} (--sensor)")
    if args.resolution == "full" and scenes.has_reference:
        raise cli.UsageError(f"{args.data}: found a reduced-resolution file (it has gt), expected ms and pan alone")
    model, label = cli.pick_model(args, "ps", lambda: dcinn_ps(scenes.bands))
    if model.config.bands != scenes.bands:
        raise cli.UsageError(f"{args.data}: found {scenes.bands} bands, expected {model.config.bands} of the weights")
    run = Run("ps", model, label, str(args.data) if args.data else None, args.tile)
    return evaluate_scenes(run, scenes, args.resolution, args.output, args.format, args.limit)


def evaluate_scenes(
    run: Run, scenes: Scenes, resolution: str, output: Path, suffix: str = "mat", limit: int | None = None
) -> dict:
    """Fuse at each resolution; writes RESOLUTION/NAME.<suffix> in digital numbers, NAME_rgb.png, and the tables."""
    kinds = ["reduced"] if scenes.has_reference else ["reduced", "full"] if resolution == "both" else [resolution]
    count = min(len(scenes), limit or len(scenes))
    tables, rows = [], []
    with ResultFolder(output) as folder:
        for kind in kinds:
            table = _table(run, kind, scenes)
            for index in tqdm(range(count), desc=f"fusing, {kind}", unit="scene", disable=cli.quiet(count)):
                item = scenes.reduced(index) if kind == "reduced" else scenes.full(index)
                fused = run.fuse(item["lms"], item["pan"])
                name, gt = item["name"], item.get("gt")
                like = item["lms"] if gt is None else gt
                write_bands(folder.path(f"{kind}/{name}.{suffix}"), fused, scenes.scale)
                write_png(folder.path(f"{kind}/{name}_rgb.png"), to_eight_bit(stretch(fused, like)))
                table.images.append(name)
                for method, image in ((run.label, fused), ("EXP (lms)", item["lms"])):
                    measures = (
                        _full(image, item, scenes.ratio, table) if gt is None else _reduced(image, gt, scenes.ratio)
                    )
                    table.add(method, measures)
                if index < 2:
                    rows.append(_panels(f"{name}, {kind}", item, fused))
            tables.append(table)
        comparison_figure(folder.path("comparison.png"), rows, run.caption)
        result = run.write(folder, tables)
    run.say(folder, tables)
    return result


def _table(run: Run, kind: str, scenes: Scenes) -> Table:
    if kind == "full":
        table = run.table("Pansharpening, full resolution", ("D_lambda", "D_s", "QNR"), "ps_full")
        table.remark("D_lambda of EXP is 0 by definition: it is measured against EXP.")
        return table
    table = run.table("Pansharpening, reduced resolution", ("SAM", "ERGAS", "PSNR", "SSIM"), "ps_reduced")
    table.remark("Whole images, no border cut, not clipped. PSNR: peak 1; SSIM: data range 1.")
    if not scenes.has_reference:
        table.remark(f"Reduced by Wald's protocol, sensor '{scenes.sensor}', pan filter {scenes.pan_filter}.")
    return table


def _reduced(image: np.ndarray, gt: np.ndarray, ratio: int) -> dict:
    a, b = np.moveaxis(image, 0, -1), np.moveaxis(gt, 0, -1)
    return {
        "SAM": lambda: sam(a, b),
        "ERGAS": lambda: ergas(a, b, ratio=ratio),
        "PSNR": lambda: psnr(a, b),
        "SSIM": lambda: ssim(a, b),
    }


def _full(image: np.ndarray, item: dict, ratio: int, table: Table) -> dict:
    h, w = (s // BLOCK * BLOCK for s in image.shape[1:])
    if (h, w) != image.shape[1:] and h and w:
        table.remark(f"Indices on the top left {h}x{w} pixels, whole 32x32 blocks.")
    a, lms = (np.moveaxis(x, 0, -1)[:h, :w] for x in (image, item["lms"]))
    pan = item["pan"][0, :h, :w]
    return {
        "D_lambda": lambda: d_lambda(a, lms),
        "D_s": lambda: d_s(a, lms, pan, ratio=ratio),
        "QNR": lambda: qnr(a, lms, pan, ratio=ratio),
    }


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
