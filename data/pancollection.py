"""Pansharpening data: the PanCollection H5 files and the .mat files of toolboxes and papers.

Understood layouts: N,C,H,W (PanCollection) and N,H,W,C; single scenes H,W,C or C,H,W; HDF5, MATLAB v5 and v7.3.
Keys: gt (I_GT), lms, ms (I_MS_LR), pan (I_PAN). I_MS is lms if it has the pan's size, and ms if it is smaller.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from metrics.sensors import SENSORS, ms_gains

from .errors import DataError
from .files.array_file import ArrayFile
from .files.sample_range import listed, typical
from .files.size_limits import MOST_BANDS
from .simulate import interp23

KEYS = {"gt": ("gt", "I_GT"), "lms": ("lms",), "ms": ("ms", "I_MS_LR"), "pan": ("pan", "I_PAN")}
SENSOR_BITS = {"GF2": 10}  # WV2, WV3, QB and the others: 11
DEFAULT_BITS = 11


class PanCollection:
    """The images of one pansharpening file, read on access.

    Args:
        path: the .h5 or .mat file.
        sensor: "WV3", "WV2", "QB", "GF2", ...; by default the file's `sensor`, else one in its name, else "none".
        bits: bit depth of the digital numbers; by default the file's `L`, else 10 for GF2 and 11 for others. 1 is for
            images that are in [0, 1] already.
        rows: (first, end) of the ms: use only these rows of every image, to train on one area and test on another. lms
            is then interpolated from these rows.

    Attributes:
        bands, sensor, bits: as read or given.
        ratio: resolution ratio of pan and ms; 4 without ms.
        scale: 2**bits - 1, the digital number that becomes 1.
        has_reference: whether the file has gt.
        sides: (H, W) of the pan.
        ms_sides: (h, w) of the ms; None without ms.

    Items are dictionaries of float32 in [0, 1] (digital numbers / scale): `lms` (B, H, W), `ms` (B, h, w) or None,
    `pan` (1, H, W), `gt` (B, H, W) or None, and `name`. If the file has no lms, ms is interpolated with 23 taps.

    Raises:
        DataError: when created, for missing keys, for axes and sizes that do not fit, and for a `sensor` of another
            number of bands; on access, for NaN and for values outside the bit depth (lms may exceed it by half its
            range, because interpolation overshoots).
    """

    def __init__(
        self,
        path: str | os.PathLike,
        *,
        sensor: str | None = None,
        bits: int | None = None,
        rows: tuple[int, int] | None = None,
    ) -> None:
        self.file = ArrayFile(path)
        self.path = Path(path)
        self.sensor = sensor or self.file.text("sensor") or _sensor_in(self.path.stem)
        stored = bits or self.file.number("L") or SENSOR_BITS.get(self.sensor.upper(), DEFAULT_BITS)
        if not 1 <= stored <= 32 or stored != int(stored):
            raise DataError(self.path, f"a bit depth of {stored:g}", "a whole number from 1 to 32")
        self.bits = int(stored)
        self.scale = 2**self.bits - 1
        self.keys = {role: next((k for k in names if k in self.file), None) for role, names in KEYS.items()}
        if self.keys["pan"] is None:
            raise self.file.lacks("pan or I_PAN")
        self._read_pan_layout()
        if "I_MS" in self.file:
            inner = self.file["I_MS"].shape[1 if self.stacked else 0 :]
            role = "lms" if (self.height, self.width) in (tuple(inner[1:]), tuple(inner[:2])) else "ms"
            self.keys[role] = self.keys[role] or "I_MS"
        if self.keys["ms"] is None and self.keys["lms"] is None:
            raise self.file.lacks("ms (I_MS_LR, I_MS) or lms")
        self.roles = [role for role in ("gt", "lms", "ms") if self.keys[role]]
        self.layout = self._layout()
        self.bands = self._bands()
        if self.bands > MOST_BANDS:
            raise DataError(self.path, f"{self.bands} bands", f"at most {MOST_BANDS}")
        gains = ms_gains(sensor or "")
        if gains and len(gains) != self.bands:
            raise DataError(self.path, f"{self.bands} bands", f"{len(gains)} of sensor {sensor} (--sensor)")
        self.ratio = self._ratio(self.layout)
        if not self.keys["lms"] and self.ratio & (self.ratio - 1):
            raise DataError(self.path, f"a ratio of {self.ratio} and no lms", "a power of two, or lms in the file")
        self.ms_sides = self._sides("ms", self.layout) if self.keys["ms"] else None
        self.has_reference = self.keys["gt"] is not None
        self.rows, self.sides = rows, (self.height, self.width)
        if rows is not None:
            self._keep_rows(*rows)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[dict]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: int) -> dict:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        item: dict[str, Any] = {role: self._image(role, index) if self.keys[role] else None for role in KEYS}
        if self.rows is not None:
            item["lms"] = None  # the file's lms was interpolated across the cut
        if item["lms"] is None:
            item["lms"] = np.moveaxis(interp23(np.moveaxis(item["ms"], 0, -1), self.ratio), -1, 0).astype(np.float32)
        item["name"] = self.names[index]
        return item

    @property
    def names(self) -> list[str]:
        """Names of the images: the file's name without suffix, with a four-digit number if it holds a stack."""
        return [f"{self.path.stem}_{i:04d}" for i in range(self.count)] if self.stacked else [self.path.stem]

    @property
    def label(self) -> str:
        """The path, with the rows if only some are used."""
        return str(self.path) if self.rows is None else f"{self.path}, rows {self.rows[0]}:{self.rows[1]}"

    def _key(self, role: str) -> str:
        """Return the key of a role that the file has."""
        key = self.keys[role]
        assert key is not None
        return key

    def _read_pan_layout(self) -> None:
        """Set stacked, count, height and width from the shape of the pan and the rank of the other arrays."""
        key = self._key("pan")
        shape = self.file[key].shape
        others = [k for r in ("gt", "lms", "ms") for k in (*KEYS[r], "I_MS") if k in self.file]
        self.stacked = len(shape) == 4 or any(len(self.file[k].shape) == 4 for k in others)
        inner = shape[1:] if self.stacked else shape
        if len(inner) == 3 and 1 in (inner[0], inner[2]):
            inner = inner[1:] if inner[0] == 1 else inner[:2]
        if len(inner) != 2 or 0 in shape:
            raise DataError(self.path, f"{key} of shape {shape}", "(N, 1, H, W), (N, H, W), (N, H, W, 1) or (H, W)")
        self.height, self.width = inner
        self.count = shape[0] if self.stacked else 1

    def _inner(self, role: str) -> tuple[int, ...]:
        """Return the shape of one image of this role, as stored."""
        key = self._key(role)
        shape = tuple(self.file[key].shape)
        if len(shape) != (4 if self.stacked else 3) or 0 in shape:
            form = "(N, B, H, W)" if self.stacked else "(H, W, B)"
            raise DataError(self.path, f"{key} of shape {shape}", f"{form} beside {self.keys['pan']}")
        if self.stacked and shape[0] != self.count:
            raise DataError(self.path, f"{shape[0]} images in {key}", f"{self.count} as in {self.keys['pan']}")
        return shape[1:] if self.stacked else shape

    def _layout(self) -> str:
        """Return "chw" or "hwc", the order of axes in the whole file, inferred from the sides of the pan.

        If both fit, the ratio decides (the file's `ratio`, else 4), and then the usual order for this rank.
        """
        usual = ("chw", "hwc") if self.stacked else ("hwc", "chw")
        fitting = [layout for layout in usual if all(self._fits(role, layout) for role in self.roles)]
        if fitting:
            ratio = self.file.number("ratio") or 4
            return next((layout for layout in fitting if self._ratio(layout) == ratio), fitting[0])
        role = next((r for r in self.roles if not any(self._fits(r, layout) for layout in usual)), self.roles[0])
        swapped = any(self._fits(role, layout, swapped=True) for layout in usual)
        expected = f"the sides of {self.keys['pan']}, {self.height}x{self.width}"
        raise DataError(
            self.path,
            f"{self._key(role)} of shape {tuple(self.file[self._key(role)].shape)}"
            + (", its axes look swapped" if swapped else ""),
            expected + (", over a whole ratio" if role == "ms" else ""),
        )

    def _sides(self, role: str, layout: str) -> tuple[int, int]:
        inner = self._inner(role)
        height, width = inner[1:] if layout == "chw" else inner[:2]
        return height, width

    def _fits(self, role: str, layout: str, swapped: bool = False) -> bool:
        h, w = self._sides(role, layout)[:: -1 if swapped else 1]
        if role != "ms":
            return (h, w) == (self.height, self.width)
        return self.height % h == 0 and self.width % w == 0 and self.height // h == self.width // w > 1

    def _bands(self) -> int:
        axis = 0 if self.layout == "chw" else 2
        counts = {role: self._inner(role)[axis] for role in self.roles}
        if len(set(counts.values())) > 1:
            found = ", ".join(f"{n} bands in {self.keys[role]}" for role, n in counts.items())
            raise DataError(self.path, found, "the same number of bands")
        return next(iter(counts.values()))

    def _ratio(self, layout: str) -> int:
        return self.height // self._sides("ms", layout)[0] if self.keys["ms"] else 4

    def _keep_rows(self, first: int, end: int) -> None:
        if self.ms_sides is None:
            raise DataError(
                self.path, "lms without ms", "ms for a part of its rows: lms is interpolated over its border"
            )
        whole = self.height // self.ratio
        if first < 0 or first + self.ratio > end or end > whole:
            raise DataError(
                self.path, f"no rows {first}:{end}", f"{self.ratio} or more of 0:{whole}, the rows of its ms"
            )
        self.sides = ((end - first) * self.ratio, self.width)
        self.ms_sides = (end - first, self.ms_sides[1])

    def _image(self, role: str, index: int) -> np.ndarray:
        key = self._key(role)
        image = self.file.read(key, index if self.stacked else None)
        where = f"{self.path}: {key}[{index}]" if self.stacked else f"{self.path}: {key}"
        if role == "pan":
            image = image.reshape(1, self.height, self.width)
        elif self.layout == "hwc":
            image = np.moveaxis(image, -1, 0)
        if image.dtype.kind not in "uif":
            raise DataError(where, f"values of type {image.dtype}", "numbers")
        if image.dtype.kind == "f" and not np.isfinite(image).all():
            raise DataError(where, "NaN or infinity", "finite values")
        if self.rows is not None:
            scale = 1 if role == "ms" else self.ratio
            image = image[:, self.rows[0] * scale : self.rows[1] * scale]
        self._check_range(image, where, slack=self.scale / 2 if role == "lms" else 0.5)
        return np.ascontiguousarray(image / np.float64(self.scale), dtype=np.float32)

    def _check_range(self, image: np.ndarray, where: str, slack: float) -> None:
        least, most = float(image.min()), float(image.max())
        found = f"values {listed(image)}"
        expected = (
            f"digital numbers from 0 to {self.scale}, the declared {self.bits} bits (--bits; 1 for images in [0, 1])"
        )
        if least < -slack or most > self.scale + slack:
            raise DataError(where, found, expected)
        if image.dtype.kind == "f" and self.scale > 1 and (0 < most <= 1.5 or 0 < typical(image) <= 1):
            raise DataError(where, f"{found}, already scaled", expected)


def _sensor_in(stem: str) -> str:
    """Return the sensor in a file name (PanCollection: test_wv3_multiExm1.h5), or "none"."""
    words = re.split(r"[^A-Z0-9]+", stem.upper())
    return next((s for s in SENSORS if s in words), "none")
