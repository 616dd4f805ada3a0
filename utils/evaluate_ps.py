"""The pansharpening test, at reduced resolution (Wald's protocol, a reference) and at full resolution (none)."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from data import PanCollection
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

    def cannot_reduce(self) -> str | None:
        """Why Wald's protocol cannot be run on this file, or None."""
        if self.has_reference or not self.file:
            return None
        sides = self.file.ms_sides
        gains = MTF_GAINS.get(self.sensor.upper())
        if sides is None:
            return "lms without ms, expected ms"
        if self.ratio & (self.ratio - 1):
            return f"a ratio of {self.ratio}, expected a power of two"
        if min(sides) < self.ratio:
            return f"ms of {sides[0]}x{sides[1]} pixels, expected sides of at least {self.ratio}"
        if gains and len(gains) != self.bands:
            return f"{self.bands} bands, expected {len(gains)} of sensor {self.sensor} (--sensor)"
        return None

    def crops(self) -> bool:
        """Whether Wald's protocol leaves out the last rows or columns of the ms."""
        sides = self.file.ms_sides if self.file and not self.has_reference else None
        return sides is not None and any(side % self.ratio for side in sides)

    def reduced(self, index: int) -> dict:
        """The scene with a reference: its own, or by Wald's protocol, sides cropped to whole reduced pixels."""
        if self.has_reference:
            return self.file[index]
        item = self.full(index)
        ms, pan = np.moveaxis(item["ms"], 0, -1), item["pan"][0]
        h, w = (s // self.ratio * self.ratio for s in ms.shape[:2])
        ms, pan = ms[:h, :w], pan[: h * self.ratio, : w * self.ratio]
        images = wald(ms, pan, sensor=self.sensor, ratio=self.ratio, pan_filter=self.pan_filter)
        low_pan = images.pop("pan")[None].astype(np.float32)
        bands = {k: np.ascontiguousarray(np.moveaxis(v, -1, 0), np.float32) for k, v in images.items()}
        return {"name": item["name"], "pan": low_pan, **bands}


def run_ps(description: str, argv: list[str] | None) -> dict:
    """Parse the options of test_dcinn_ps.py, fuse, write and print; returns what metrics.json holds."""
    parser = cli.test_parser("ps", description, "PanCollection .h5 or a .mat file with ms (I_MS) and pan (I_PAN)")
    parser.add_argument("--sensor", help="WV3, WV2, QB, GF2, IKONOS, ... (its MTF) (default: the file's own)")
    parser.add_argument(
        "--bits", type=cli.bit_depth, help="of the digital numbers; 1: in [0, 1] (default: the file's own, else 11)"
    )
    parser.add_argument("--resolution", choices=("both", "reduced", "full"), default="both", help="what to run")
    parser.add_argument("--pan-filter", choices=PAN_FILTERS, default="mtf", help="of the pan in Wald's protocol")
    parser.add_argument("--format", choices=FORMATS, default="mat", help="of the fused scenes")
    args = parser.parse_args(argv)

    if args.data is None and (args.sensor or args.bits):
        raise cli.UsageError("--sensor, --bits: found without --data, expected with it; the sample has its own")
    scenes = Scenes(args.data, args.sensor, args.bits, args.pan_filter)
    if args.resolution == "full" and scenes.has_reference:
        raise cli.UsageError(f"{args.data}: found a reduced-resolution file (it has gt), expected ms and pan alone")
    if args.resolution == "reduced" and (why := scenes.cannot_reduce()):
        raise cli.UsageError(f"{args.data}: found {why}; --resolution full needs none of it")
    network = cli.pick_model(args, "ps", lambda: dcinn_ps(scenes.bands))
    if network.model.config.bands != scenes.bands:
        expected = f"{network.model.config.bands} of the weights"
        raise cli.UsageError(f"{args.data or 'sample'}: found {scenes.bands} bands, expected {expected}")
    run = Run("ps", network, str(args.data) if args.data else None, args.tile)
    return evaluate_scenes(run, scenes, args.resolution, args.output, args.format, args.limit)


def evaluate_scenes(
    run: Run, scenes: Scenes, resolution: str, output: Path, suffix: str = "mat", limit: int | None = None
) -> dict:
    """Fuse at each resolution; writes RESOLUTION/NAME.<suffix> in digital numbers, NAME_rgb.png, and the tables."""
    kinds = ["reduced"] if scenes.has_reference else ["reduced", "full"] if resolution == "both" else [resolution]
    count = min(len(scenes), limit or len(scenes))
    tables, rows = [], []
    why = scenes.cannot_reduce()
    if why and kinds == ["reduced", "full"]:
        kinds = ["full"]
        run.notes[f"not reduced by Wald's protocol: found {why}"] += 1
    with ResultFolder(output, [scenes.file.path] if scenes.file else []) as folder:
        for kind in kinds:
            table = _table(run, kind, scenes)
            for index in tqdm(range(count), desc=f"fusing, {kind}", unit="scene", disable=cli.quiet(count)):
                item = scenes.reduced(index) if kind == "reduced" else scenes.full(index)
                fused = run.fuse(item["lms"], item["pan"])
                name, gt = item["name"], item.get("gt")
                if kind == "reduced" and scenes.crops():
                    run.notes[f"ms cropped to {gt.shape[1]}x{gt.shape[2]}, whole reduced pixels"] += 1
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
        known = scenes.sensor.upper() in MTF_GAINS
        gains = (
            f"sensor {scenes.sensor}" if known else f"sensor '{scenes.sensor}' without gains of its own: 0.3, pan 0.15"
        )
        table.remark(f"Reduced by Wald's protocol, MTF of {gains}; pan filter {scenes.pan_filter} (data/README.md).")
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
