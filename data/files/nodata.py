"""NoData pixels of a raster, marked by a value: finding them, and filling them for filters and networks.

They are filled by mirroring the measured pixels at the border of the measurements, so that filters and networks see
similar content on both sides. Repeating the nearest pixel instead doubles the error of a network 32 pixels inwards.
"""

from pathlib import Path

import numpy as np
import scipy

from data.errors import DataError

from .geotiff import TIFF, file_nodata, nodata_value
from .held_value import held
from .raster_windows import Windows
from .tiff_masks import read_alpha
from .tiff_sidecars import aux_nodata

REACH = 64  # pixels; farther from a measurement, a filled pixel hardly affects measured ones
ROWS = 256  # rows that are read at once to find masked pixels
SEEN = 1024  # pixels per side that are sampled to find a border of zeros
ALL_MEASURED = "measured pixels alone, indices go over windows: crop it and its sources"
LEAST_BORDER = 0.01  # smallest fraction of the pixels that counts as a border

Span = tuple[int, int]


class MeasuredWindows:
    """Reads windows of an image, (first, end) of rows and of columns, with masked pixels filled.

    A pixel is masked if all bands hold the NoData value; if the value cannot be a digital number, one band suffices.
    Once a value is declared, NaN masks a pixel as well. Masked pixels within 64 pixels of a measured one are filled by
    mirroring, others by the bands' means. The filling does not depend on the window.

    Args:
        image: the image as stored.
        value: the NoData value; None masks nothing.
        scale: largest digital number.

    Attributes:
        image, scale: see above.
        masked: whether there are masked pixels.
        held: the value in the image's type; None without a value, or if the type cannot hold it.
        means: mean of each band over the measured pixels, (B,); empty without a value.

    Raises:
        DataError: if all pixels are masked.
    """

    def __init__(self, image: Windows, value: float | None, scale: int) -> None:
        self.image, self.value, self.scale = image, value, scale
        self.held = None if value is None else held(value, image.dtype)
        self.any_band = value is not None and not 0 <= value <= scale
        self.masked = False
        self.means = np.zeros(0, np.float32)
        if value is not None:
            self._survey()

    def reverse_bands(self) -> None:
        """Turn the order of the bands around."""
        self.image.array = self.image.array[::-1]
        self.means = self.means[::-1]

    def valid(self, rows: Span, columns: Span) -> np.ndarray:
        """Return a mask (h, w) bool of a window, True for measured pixels."""
        if not self.masked:
            return np.ones((rows[1] - rows[0], columns[1] - columns[0]), bool)
        return ~self._missing(self.image.stored(rows, columns))

    def read(self, rows: Span, columns: Span) -> np.ndarray:
        """Return a window (B, h, w) float32 with masked pixels filled, see `Windows.read`."""
        if not self.masked or self.valid(rows, columns).all():
            return self.image.read(rows, columns)
        sides = self.image.shape[1:]
        spans = zip((rows, columns), sides, strict=True)
        outer = [(max(first - 2 * REACH, 0), min(end + 2 * REACH, side)) for (first, end), side in spans]
        stored = self.image.stored(*outer)
        missing = self._missing(stored)
        with np.errstate(over="ignore", invalid="ignore"):  # in pixels to be filled
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
    """Return the rows and columns, each (h, w), to fill an image from, and the distance to the nearest measured pixel.

    A missing pixel takes its mirror image at the outer edge of the nearest measured pixel. If that is missing as well,
    it takes the nearest measured pixel.
    """
    distances, (y, x) = scipy.ndimage.distance_transform_edt(missing, return_indices=True)
    down, across = np.indices(missing.shape)
    inwards = 1 - 1 / np.maximum(distances, 1)  # 0 for a pixel next to a measured one
    rows = np.clip(np.rint(y + (y - down) * inwards).astype(int), 0, len(missing) - 1)
    columns = np.clip(np.rint(x + (x - across) * inwards).astype(int), 0, missing.shape[1] - 1)
    there = ~missing[rows, columns]
    return np.where(there, rows, y), np.where(there, columns, x), distances


def zero_border(image: np.ndarray) -> float:
    """Return the fraction of pixels, 0 to 1, that are 0 in all bands and connected to the border.

    Args:
        image: (B, H, W); beyond 1024 pixels per side it is subsampled.
    """
    step = -(-max(image.shape[1:]) // SEEN)
    return float(from_the_border((image[:, ::step, ::step] == 0).all(axis=0)).mean())


def from_the_border(pixels: np.ndarray) -> np.ndarray:
    """Return the part of a mask, both (h, w) bool, that is connected to the image's border."""
    labels, _ = scipy.ndimage.label(pixels)
    edges = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.isin(labels, edges[edges > 0])


def declared(path: Path) -> str | None:
    """Return the text of the NoData value that an image file declares, in its tags or in GDAL's sidecar; else None.

    Text that is not a number declares nothing.
    """
    text = file_nodata(path) or aux_nodata(path)
    try:
        float(text or "")
    except ValueError:
        return None
    return text


def missing_pixels(image: np.ndarray, text: str | None, path: Path) -> np.ndarray:
    """Return a mask (H, W) bool of the pixels of an image that are not measured.

    They hold the declared NoData value in all channels (a negative one in any), or NaN in any, or are transparent by a
    TIFF's alpha channel.

    Args:
        image: (H, W) or (H, W, C), as `read_raster` returns it.
        text: text of the NoData value; None without one.
        path: the file.

    Raises:
        DataError: for a mask beside the file, a NoData value of palettes and of samples whose zero is white, NaN
            without a declared value, and if all pixels are missing.
    """
    cube = image if image.ndim == 3 else image[..., None]
    missing = np.zeros(cube.shape[:2], bool)
    if path.suffix.lower() in TIFF:
        alpha = read_alpha(path, declares=text)
        if alpha is not None and alpha == cube.shape[2]:
            cube, missing = cube[..., :-1], cube[..., -1] == 0
    value = None if text is None else held(float(text), image.dtype)
    if text is not None and value is not None:
        equal = cube == value
        missing |= np.asarray(equal.any(axis=-1) if text.startswith("-") else equal.all(axis=-1))
    if image.dtype.kind == "f" and (nan := np.isnan(cube).any(axis=-1)).any():
        if text is None:
            raise DataError(path, "NaN", "finite values, or a declared NoData value (GDAL_NODATA)")
        missing |= nan
    if missing.all():
        raise DataError(path, f"NoData ({'transparent' if text is None else text[:20]}) in every pixel", "measurements")
    return missing


def filled(image: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Return an image (H, W) or (H, W, C) whose missing pixels are filled as `MeasuredWindows` fills them."""
    if not missing.any():
        return image
    y, x, distances = _mirrored(missing)
    image, means = image[y, x], image[~missing].mean(axis=0, dtype=np.float64)
    image[distances > REACH] = means.astype(image.dtype)
    return image


def refuse_nodata(path: Path, text: str | None, cube: np.ndarray) -> None:
    """Refuse an image (B, H, W) with NoData pixels, because metrics need all pixels of their windows.

    Args:
        path: the file, for messages.
        text: text of its GDAL_NODATA tag; None without one, and then nothing is refused.
        cube: the image as stored.

    Raises:
        DataError: if a pixel holds the value in all bands, or NaN in any.
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
        raise DataError(path, found, ALL_MEASURED)
