"""NoData: pixels of a raster that hold no measurement, told by a value; found, and filled for filters and networks.

Beyond the border of the measurements they are mirrored there, pixel by pixel: whatever runs over the border sees ground
like the one before it. The nearest one repeated takes twice the error in a network's pixels from 32 inwards.
"""

import math
from pathlib import Path

import numpy as np
import scipy

from data.errors import DataError

from .geotiff import file_nodata, nodata_value
from .raster_windows import Windows

REACH = 64  # pixels from a measurement, beyond which little comes back to it
ROWS = 256  # that are read at once to find the masked ones
SEEN = 1024  # pixels of a side, of which a border of zeros is told
LEAST_BORDER = 0.01  # share of the pixels

Span = tuple[int, int]


class MeasuredWindows:
    """Windows of an image, its masked pixels filled: mirrored within 64 pixels of a measured one, else the means.

    A pixel is masked where all bands hold the value, or one does if the value can be no digital number; NaN masks a
    pixel as soon as any value is declared. What is filled does not depend on the window.

    Args:
        image: as stored.
        value: of NoData; None masks nothing.
        scale: digital numbers go from 0 to this.

    Attributes:
        masked: whether there are such pixels.

    Raises:
        DataError: where all are.
    """

    def __init__(self, image: Windows, value: float | None, scale: int) -> None:
        self.image, self.value = image, value
        self.held = None if value is None else held(value, image.dtype)
        self.any_band = value is not None and not 0 <= value <= scale
        self.masked = False
        if value is not None:
            self._survey()

    def valid(self, rows: Span, columns: Span) -> np.ndarray:
        """(h, w) bool: the measured pixels."""
        if not self.masked:
            return np.ones((rows[1] - rows[0], columns[1] - columns[0]), bool)
        return ~self._missing(self.image.stored(rows, columns))

    def read(self, rows: Span, columns: Span) -> np.ndarray:
        """(B, h, w) float32, see `Windows.read`."""
        if not self.masked or self.valid(rows, columns).all():
            return self.image.read(rows, columns)
        sides = self.image.shape[1:]
        spans = zip((rows, columns), sides, strict=True)
        outer = [(max(first - 2 * REACH, 0), min(end + 2 * REACH, side)) for (first, end), side in spans]
        stored = self.image.stored(*outer)
        missing = self._missing(stored)
        with np.errstate(over="ignore", invalid="ignore"):  # of what is filled
            window = np.array(stored, np.float32)
        far = missing
        if not missing.all():
            y, x, distances = _mirrored(missing)
            window, far = window[:, y, x], distances > REACH
        window[:, far] = self.means[:, None]
        core = (slice(a - first, b - first) for (a, b), (first, _) in zip((rows, columns), outer, strict=True))
        return self.image.finite(np.ascontiguousarray(window[(slice(None), *core)]), rows, columns)

    def _missing(self, window: np.ndarray) -> np.ndarray:
        equal = np.zeros(window.shape, bool) if self.held is None else window == self.held
        missing = np.asarray(equal.any(axis=0) if self.any_band else equal.all(axis=0))
        if window.dtype.kind == "f":
            missing |= np.isnan(window).any(axis=0)
        return missing

    def _survey(self) -> None:
        bands, height, width = self.image.shape
        sums, count = np.zeros(bands), 0
        for top in range(0, height, ROWS):
            window = self.image.stored((top, min(top + ROWS, height)), (0, width))
            valid = ~self._missing(window)
            sums += window.sum(axis=(1, 2), where=valid, dtype=np.float64)
            count += int(np.count_nonzero(valid))
        if not count:
            raise DataError(self.image.path, f"NoData ({self.value:g}) in every pixel", "measurements")
        self.masked = count < height * width
        self.means = (sums / count).astype(np.float32)


def _mirrored(missing: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows and columns (h, w) that fill an image, and the distance of each pixel from the next that is not missing.

    A missing pixel is mirrored at the outer side of the nearest one that is there; it is that one where its mirror
    image is missing, too.
    """
    distances, (y, x) = scipy.ndimage.distance_transform_edt(missing, return_indices=True)
    down, across = np.indices(missing.shape)
    inwards = 1 - 1 / np.maximum(distances, 1)  # 0 for the pixel beside it
    rows = np.clip(np.rint(y + (y - down) * inwards).astype(int), 0, len(missing) - 1)
    columns = np.clip(np.rint(x + (x - across) * inwards).astype(int), 0, missing.shape[1] - 1)
    there = ~missing[rows, columns]
    return np.where(there, rows, y), np.where(there, columns, x), distances


def held(value: float, dtype: np.dtype) -> np.generic | None:
    """A value as samples of this type hold it; None where they cannot."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            number = dtype.type(value)
        return None if np.isinf(number) and not math.isinf(value) else number
    fits = math.isfinite(value) and value == int(value) and np.iinfo(dtype).min <= value <= np.iinfo(dtype).max
    return dtype.type(int(value)) if fits else None


def zero_border(image: np.ndarray) -> float:
    """The share of the pixels that are 0 in all bands and touch the border, or each other from there on.

    Args:
        image: (B, H, W); of more than 1024 pixels a side, some are looked at.
    """
    step = -(-max(image.shape[1:]) // SEEN)
    return float(from_the_border((image[:, ::step, ::step] == 0).all(axis=0)).mean())


def from_the_border(pixels: np.ndarray) -> np.ndarray:
    """Those of the pixels (h, w), bool, that touch the border, or each other from there on."""
    labels, _ = scipy.ndimage.label(pixels)
    edges = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.isin(labels, edges[edges > 0])


def declared_missing(path: Path, image: np.ndarray) -> tuple[np.ndarray, str | None]:
    """The pixels (H, W), bool, that hold what a TIFF declares as NoData, and how it is written there.

    Args:
        path: of any image file.
        image: (H, W), as stored, without NaN.
    """
    text = file_nodata(path)
    try:
        value = None if not text else held(float(text), image.dtype)
    except ValueError:  # no number, which no pixel holds
        value = None
    return (np.zeros(image.shape, bool) if value is None else image == value), text


def refuse_nodata(path: Path, text: str | None, cube: np.ndarray) -> None:
    """Have an image (B, H, W) measured only where it holds measurements everywhere.

    Args:
        path: for messages.
        text: of its GDAL_NODATA tag; None where it has none.
        cube: as stored.

    Raises:
        DataError: where pixels hold the declared value in all bands, or NaN in any.
    """
    value = None if text is None else held(nodata_value(text, path), cube.dtype)
    if text is None:
        return
    missing = np.zeros(cube.shape, bool) if value is None else cube == value
    missing = missing.all(axis=0)
    if cube.dtype.kind == "f":
        missing |= np.isnan(cube).any(axis=0)
    if missing.any():
        found = f"NoData ({text}) in {np.count_nonzero(missing)} pixels"
        raise DataError(path, found, "measured pixels alone, indices go over windows: crop it and its sources")
