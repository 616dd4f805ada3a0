"""Reads windows of rasters that may be larger than memory, from TIFF, ENVI and .npy files."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile

from data.errors import DataError, one_line

from .array_file import read_npy
from .band_axis import band_axis
from .envi import envi_files, read_envi
from .gdal_metadata import Described, described
from .geotiff import has_scale, page_geo_tags, page_nodata
from .moved_tags import moved_tags
from .orientation import ORIENTATION
from .regular_file import check_regular
from .size_limits import MOST_BANDS, check_declared, reserve
from .tiff_masks import MASK, check_samples, transparency
from .tiff_pages import check_pages
from .tiff_sidecars import aux_nodata, world_tags


class Windows:
    """One image on disk, read in windows, (first, end) of rows and of columns; `end` is not included.

    Uncompressed TIFF, ENVI and .npy files are memory-mapped. A compressed TIFF is decompressed once, piece by piece,
    into a temporary file.

    Args:
        path: a .tif, .tiff or .npy file of (H, W), (H, W, B) or (B, H, W); or an ENVI header or its file of samples.
        scratch: folder for the temporary file; the system's by default.
        bands: expected number of bands, to find the axis of the bands in a .npy array; None infers it by `band_axis`.

    Attributes:
        shape: (B, H, W).
        dtype: type of the stored samples.
        tags: GeoTIFF tags in the form of tifffile's "extratags", with the grid of a world file.
        nodata: text of the GDAL_NODATA tag or of the .aux.xml file; None without either.
        one: stored number that stands for 1, if the file declares it; else None.
        wavelengths: of the bands in nanometres; empty if unknown.
        described: the tags that describe image and bands, see `gdal_metadata.Described`.
        notes: remarks on content that is ignored or taken as data.

    Raises:
        DataError: for files that are missing, damaged, of another type or another number of axes.
    """

    one: float | None = None
    wavelengths: Sequence[float] = ()

    def __init__(self, path: str | os.PathLike, scratch: Path | None = None, bands: int | None = None) -> None:
        self.path = Path(path)
        self.tags: list[tuple] = []
        self.nodata: str | None = None
        self.described = Described()
        self.notes: list[str] = []
        check_regular(self.path, "an image (.tif, .npy, .hdr)")
        suffix, envi = self.path.suffix.lower(), envi_files(self.path)
        if suffix not in (".tif", ".tiff", ".npy") and envi is None:
            raise DataError(self.path, f"a file ending in '{suffix}'", ".tif, .tiff, .npy or ENVI's .hdr")
        try:
            if envi is not None:
                array, tags, self.nodata, self.one, self.wavelengths, notes = read_envi(*envi)
                self.tags = world_tags(self.path, tags)
                self.notes += notes
            else:
                array = self._npy(bands) if suffix == ".npy" else self._tiff(scratch)
        except DataError:
            raise
        except Exception as error:  # tifffile raises its own types on damaged files
            why = one_line(error, 100) or type(error).__name__
            raise DataError(self.path, f"no readable image ({why})", "a complete image file") from None
        if array.dtype.kind not in "uif":
            raise DataError(self.path, f"samples of type {array.dtype}", "integers or floats")
        self.array, self.dtype, self.shape = array, array.dtype, array.shape

    def read(self, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
        """Return a window (B, h, w) of the stored numbers as float32.

        Raises:
            DataError: for NaN and infinity.
        """
        return self.finite(np.asarray(self.stored(rows, columns), np.float32), rows, columns)

    def stored(self, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
        """Return a window (B, h, w) as stored, unchecked."""
        return self.array[:, slice(*rows), slice(*columns)]

    def finite(self, window: np.ndarray, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
        """Return the window unchanged if it is finite.

        Raises:
            DataError: for NaN and infinity; the message names rows and columns.
        """
        if not np.isfinite(window).all():
            where = f"rows {rows[0]} to {rows[1]}, columns {columns[0]} to {columns[1]}"
            raise DataError(self.path, f"NaN or infinity in {where}", "finite values; NaN for NoData: --nodata nan")
        return window

    def crop(self, rows: tuple[int, int], columns: tuple[int, int]) -> None:
        """Reduce the image to these rows and columns, and move its georeference accordingly."""
        self.array = self.stored(rows, columns)
        self.shape = self.array.shape
        self.tags = moved_tags(self.tags, rows[0], columns[0])

    def _npy(self, bands: int | None) -> np.ndarray:
        array = read_npy(self.path, mapped=True)
        if array.ndim != 3:
            return self._bands_first(array, 0)
        ends = [axis for axis in (2, 0) if array.shape[axis] == bands]
        return self._bands_first(array, ends[0] if len(ends) == 1 else band_axis(array.shape, self.path))

    def _tiff(self, scratch: Path | None) -> np.ndarray:
        with tifffile.TiffFile(self.path) as file:
            check_pages(self.path, file)
            series = file.series[0]
            axes = series.axes
            page = series.keyframe
            check_samples(self.path, file)
            self.tags, self.nodata = world_tags(self.path, page_geo_tags(page)), page_nodata(page)
            if self.nodata is None:
                self.nodata = aux_nodata(self.path)
            self.described = described(page)
            turning = page.tags.get(ORIENTATION)
            if turning is not None and turning.value in range(2, 9) and not self.tags:
                found = f"orientation {turning.value}, pixels to be turned"
                raise DataError(self.path, found, "pixels as they are shown")
            self._tell(file)
            if series.dataoffset is not None:
                array: np.ndarray = tifffile.memmap(self.path, series=0, mode="r")
            else:
                check_declared(self.path, f"an image of shape {series.shape}", series.nbytes, in_memory=False)
                array = _unpacked(series, scratch)
        band_axis = next((axes.index(name) for name in "SCQIZ" if name in axes), 0)
        return self._bands_first(array, band_axis)

    def _tell(self, file: tifffile.TiffFile) -> None:
        name = one_line(self.path.name)
        self.notes += [
            f"Band {band} of {name} is declared transparency (alpha), fused as a band."
            for band in transparency(file.series[0].keyframe)
        ]
        if has_scale(file.series[0].keyframe):
            self.notes.append(f"{name} declares a scale or an offset of its samples: fused as stored, neither is kept.")
        kinds = [[int(getattr(page, "subfiletype", 0)) for page in series if page] for series in file.series[1:]]
        more = [series for series in kinds if not any(kind & (1 | MASK) for kind in series)]
        if more:
            self.notes.append(f"Further images in {name} left out ({len(more)}).")

    def _bands_first(self, array: np.ndarray, axis: int) -> np.ndarray:
        if array.ndim == 2:
            array = array[None]
        elif array.ndim == 3:
            array = np.moveaxis(array, axis, 0)
        if array.ndim != 3 or 0 in array.shape or array.shape[0] > MOST_BANDS:
            raise DataError(self.path, f"an array of shape {array.shape}", "(H, W), (H, W, B) or (B, H, W)")
        return array


def _unpacked(series: tifffile.TiffPageSeries, scratch: Path | None) -> np.ndarray:
    """Return the decompressed samples of a series, mapped from a temporary file that is deleted when closed."""
    with tempfile.TemporaryFile(dir=scratch) as file:
        reserve(file.fileno(), series.nbytes, Path(scratch or tempfile.gettempdir()))
        array = np.memmap(file, series.dtype, "w+", shape=tuple(series.shape))
    pages = array.reshape(len(series.pages), *series.keyframe.shaped)
    for number, page in enumerate(series.pages):
        assert page is not None, "a page that is in no file"
        for segment, index, shape in page.segments():
            s, d, h, w, _ = index
            target = pages[number, s, d : d + shape[0], h : h + shape[1], w : w + shape[2], : shape[3]]
            if segment is None:  # a hole in a sparse file: its NoData, or zeros
                target[...] = series.keyframe.nodata
                continue
            target[...] = segment[tuple(slice(side) for side in target.shape)]  # tiles extend beyond the image
    return array
