"""Pansharpening scenes at full and reduced resolution, from a file or the embedded sample."""

from pathlib import Path

import numpy as np

from metrics.sensors import ms_gains

from . import PanCollection
from .files.nodata import LEAST_BORDER, zero_border
from .samples import SAMPLE_BITS, SAMPLE_SENSOR, sample_pan_scene
from .simulate import interp23, wald


class PanScenes:
    """The scenes of a file, or the embedded sample, at full resolution and, where possible, at reduced resolution.

    Args:
        path: the data file; None is the embedded sample.
        sensor, bits, rows: see `PanCollection`.
        pan_filter: see `wald`.

    Attributes:
        sensor, scale, bands, ratio, has_reference: see `PanCollection`.
    """

    def __init__(
        self,
        path: Path | None,
        sensor: str | None = None,
        bits: int | None = None,
        pan_filter: str = "mtf",
        rows: tuple[int, int] | None = None,
    ) -> None:
        self.file = None if path is None else PanCollection(path, sensor=sensor, bits=bits, rows=rows)
        self.pan_filter = pan_filter
        self.sensor = self.file.sensor if self.file else SAMPLE_SENSOR
        self.scale = self.file.scale if self.file else 2**SAMPLE_BITS - 1
        self.bands = self.file.bands if self.file else 8
        self.ratio = self.file.ratio if self.file else 4
        self.has_reference = bool(self.file and self.file.has_reference)

    def __len__(self) -> int:
        return len(self.file) if self.file else 1

    def full(self, index: int) -> dict:
        """Return a scene at full resolution, a dictionary with `lms`, `ms`, `pan` and `name`, see `PanCollection`."""
        if self.file:
            return self.file[index]
        scene = sample_pan_scene()
        lms = interp23(np.moveaxis(scene["ms"], 0, -1), self.ratio)
        return {**scene, "lms": np.moveaxis(lms, -1, 0).astype(np.float32)}

    def cannot_reduce(self) -> str | None:
        """Return, as text, why Wald's protocol cannot be applied to this file, or None if it can."""
        if self.has_reference or not self.file:
            return None
        sides = self.file.ms_sides
        gains = ms_gains(self.sensor)
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
        """Whether Wald's protocol drops the last rows or columns of the ms, because the ratio does not divide them."""
        sides = self.file.ms_sides if self.file and not self.has_reference else None
        return sides is not None and any(side % self.ratio for side in sides)

    def reduced(self, index: int) -> dict:
        """Return a scene with a reference `gt`.

        A scene of a file with a reference is returned as `PanCollection` reads it. Any other scene is reduced by Wald's
        protocol, after its MS is cropped to multiples of the ratio; call `cannot_reduce` first.

        Returns:
            A dictionary with `lms` and `gt` (B, H, W), `ms` (B, h, w) and `pan` (1, H, W), float32 on the scale of
            `PanCollection`, and `name`. H and W of a reduced scene are the sides of the cropped MS. `ms` may be None in
            a file with a reference.
        """
        if self.file and self.has_reference:
            return self.file[index]
        item = self.full(index)
        ms, pan = np.moveaxis(item["ms"], 0, -1), item["pan"][0]
        h, w = (s // self.ratio * self.ratio for s in ms.shape[:2])
        ms, pan = ms[:h, :w], pan[: h * self.ratio, : w * self.ratio]
        images = wald(ms, pan, sensor=self.sensor, ratio=self.ratio, pan_filter=self.pan_filter)
        low_pan = images.pop("pan")[None].astype(np.float32)
        bands = {k: np.ascontiguousarray(np.moveaxis(v, -1, 0), np.float32) for k, v in images.items()}
        return {"name": item["name"], "pan": low_pan, **bands}


def zero_borders(item: dict) -> list[str]:
    """Return remarks on borders of zeros in a scene, which may be NoData: files of arrays cannot declare it."""
    roles = {"gt": "the reference"} if item.get("gt") is not None else {"ms": "the ms", "pan": "the pan"}
    shares = {name: zero_border(item[role]) for role, name in roles.items() if item.get(role) is not None}
    return [
        f"{share:.0%} of {name} are a border of zeros, fused and measured as ground: crop it, or give TIFFs (--ms, "
        "--pan, --nodata 0)"
        for name, share in shares.items()
        if share >= LEAST_BORDER
    ]
