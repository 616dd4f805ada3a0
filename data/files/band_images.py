"""Reads multi-band images that other programs saved: .mat, .h5, .npy or .tif, one file per image or one for all."""

import os
import unicodedata
from pathlib import Path

import numpy as np
import tifffile

from data.errors import DataError, one_line

from .array_file import ArrayFile, read_npy
from .band_axis import band_axis
from .folders import files_in, natural, plain_name
from .geotiff import TIFF, page_nodata
from .nodata import refuse_nodata
from .regular_file import check_regular
from .size_limits import check_declared
from .tiff_masks import check_samples
from .tiff_pages import check_pages

SUFFIXES = (".mat", ".h5", ".hdf5", ".npy", ".tif", ".tiff")
KEYS = ("fused", "sr", "I_Fus", "I_F", "I_fus", "output", "out", "pred", "gt", "GT", "I_GT")


class Cubes:
    """The images of a folder (one file per image, in natural order) or of one file (an image, or a stack of images).

    `read` returns an image, `shape` its shape, and `order` assigns images to names. The files of a folder are opened
    when one of their images is read.

    Args:
        path: a folder, or a file with one of the suffixes `SUFFIXES`. In a .mat or .h5 file the image is the first of
            `KEYS` that is there, or else the file's only array.
        axes: "bhw" or "hwb", the order of axes; None infers it from the shape, see `band_axis`.

    Attributes:
        files: the path of each image; for a stack, the same path repeated.
        stack: the array of a stack, four axes with images first; None if the images are not stacked.
        by_name: whether `order` matched file names.
        remarks: notes on what was skipped in the folder.

    Raises:
        DataError: for missing and empty folders, other file types, unreadable files, and arrays without 2 to 4 axes.
            For a folder, the last two errors are raised when an image is read.
    """

    def __init__(self, path: str | os.PathLike, axes: str | None = None) -> None:
        self.path, self.axes = Path(path), axes
        if not self.path.exists():
            raise DataError(self.path, "no such file or folder", f"images ({', '.join(SUFFIXES)})")
        self.stack: np.ndarray | None = None
        self.usual: int | None = None
        self.by_name = False
        self.remarks: list[str] = []
        if self.path.is_dir():
            files, self.remarks = files_in(self.path, SUFFIXES)
            self.files = sorted(files, key=lambda p: natural(p.name))
            if not self.files:
                raise DataError(self.path, "no such files", f"images ({', '.join(SUFFIXES)})")
        else:
            array, self.usual = _read(self.path)
            self.files = [self.path]
            if array.ndim == 4:
                self.stack, self.files = array, [self.path] * len(array)

    def __len__(self) -> int:
        return len(self.files)

    def order(self, names: list[str]) -> list[int]:
        """Return the index of the image for each name, and set `by_name`.

        Images are matched by their file names. If no name matches, they are taken in natural order, and `by_name` is
        False.

        Args:
            names: names of the scenes, without suffixes.

        Raises:
            DataError: if only some names match, if two files have one name, or if there are more or fewer images than
                names.
        """
        names = [unicodedata.normalize("NFC", name) for name in names]
        stems = [plain_name(f) for f in self.files] if self.stack is None else []
        twice = sorted({stem for stem in stems if stems.count(stem) > 1})
        if twice:
            raise DataError(self.path, f"several files named {twice[0]}", "one fused image of each name")
        common = set(names) & set(stems)
        self.by_name = bool(common)
        if self.by_name and common != set(names):
            lacking = next(name for name in names if name not in common)
            raise DataError(self.path, f"no file named {lacking}", f"all {len(names)} names, or none ({names[0]}, ...)")
        if self.by_name and len(stems) > len(names):
            surplus = next(f.name for f in self.files if plain_name(f) not in common)
            raise DataError(self.path, f"{surplus} of no scene", f"only the {len(names)} fused images")
        if len(self) != len(names):
            first = stems[0] if stems else self.path.stem
            found = f"{len(self)} image{'s' if len(self) > 1 else ''} ({first}, ...)"
            raise DataError(self.path, found, f"{len(names)} ({names[0]}, ...), or files of those names")
        return [stems.index(name) for name in names] if self.by_name else list(range(len(names)))

    def read(self, index: int, shape: tuple[int, int, int]) -> np.ndarray:
        """Return image `index` as (B, H, W) float64, whether it is stored as (B, H, W) or as (H, W, B).

        Args:
            index: index of the image.
            shape: the expected (B, H, W).

        Raises:
            DataError: if neither (B, H, W) nor (H, W, B) fits, and for NaN, infinity and NoData pixels.
        """
        file = self.files[index]
        cube, usual = self._array(index)
        where = file if self.stack is None else f"{file}[{index}]"
        bands, height, width = shape
        if cube.ndim == 2 and bands == 1:
            cube = cube[None]
        last = cube.shape == (height, width, bands)
        if last and (cube.shape != shape or band_axis(shape, where, self.axes, usual) == 2):
            cube = np.moveaxis(cube, -1, 0)
        if cube.shape != shape:
            raise DataError(where, f"an array of shape {cube.shape}", f"{shape} or {(height, width, bands)}")
        refuse_nodata(file, self.nodata(index), cube)
        cube = cube.astype(np.float64)
        if not np.isfinite(cube).all():
            raise DataError(where, "NaN or infinity", "finite values")
        return cube

    def shape(self, index: int, likely: int | None = None) -> tuple[int, int, int]:
        """Return (B, H, W) of an image, inferred from its stored shape by `band_axis`, which also takes `likely`.

        Raises:
            DataError: for an array that is not one image, and if the order of axes cannot be inferred.
        """
        array, usual = self._array(index)
        raw = array.shape
        if len(raw) == 2:
            return (1, *raw)
        if len(raw) != 3:
            raise DataError(self.files[index], f"an array of shape {raw}", "one image, (B, H, W) or (H, W, B)")
        return (raw[2], *raw[:2]) if band_axis(raw, self.files[index], self.axes, usual, likely) == 2 else raw

    def raw_shape(self, index: int) -> tuple[int, ...]:
        """Return the shape of an image as stored."""
        return self._array(index)[0].shape

    def dtype(self, index: int) -> np.dtype:
        """Return the data type in which an image is stored."""
        return self._array(index)[0].dtype

    def nodata(self, index: int) -> str | None:
        """Return the text of a TIFF's GDAL_NODATA tag, its value for pixels without measurement; None without a tag.

        Raises:
            DataError: for damaged tags.
        """
        if self.files[index].suffix.lower() not in TIFF:
            return None
        try:
            with tifffile.TiffFile(self.files[index]) as file:
                return page_nodata(file.series[0].keyframe)
        except Exception as error:  # tifffile raises many types on damaged files
            raise DataError(
                self.files[index], f"no readable tags ({one_line(error, 100)})", "a complete file"
            ) from None

    def _array(self, index: int) -> tuple[np.ndarray, int | None]:
        """Return an image as stored, and the axis that its format usually has for the bands, or None."""
        return _read(self.files[index]) if self.stack is None else (self.stack[index], self.usual)


def _read(path: Path) -> tuple[np.ndarray, int | None]:
    """Return the array of a file, and the axis that its format usually has for the bands.

    This axis is the last one for MATLAB, the first one for stacks in HDF5, and the declared one for TIFF, else None.
    """
    suffix, usual = path.suffix.lower(), None
    check_regular(path, f"an image ({', '.join(SUFFIXES)})")
    try:
        if suffix == ".npy":
            array = read_npy(path)
        elif suffix in (".tif", ".tiff"):
            array, usual = _read_tiff(path)
        elif suffix in SUFFIXES:
            array = _from_arrays(path)
            usual = 2 if suffix == ".mat" else 0 if array.ndim == 4 else None
        else:
            raise DataError(path, f"a file of type {suffix or 'none'}", ", ".join(SUFFIXES))
    except DataError:
        raise
    except Exception as error:  # tifffile raises many types on damaged files
        why = one_line(error, 100) or type(error).__name__
        raise DataError(path, f"no readable {suffix} file ({why})", "a complete file") from None
    if array.ndim not in (2, 3, 4) or not array.size or array.dtype.kind not in "uif":
        raise DataError(path, f"{array.dtype} of shape {array.shape}", "numbers of shape (B, H, W) or (H, W, B)")
    return array, usual


def _read_tiff(path: Path) -> tuple[np.ndarray, int | None]:
    with tifffile.TiffFile(path) as file:
        check_pages(path, file)
        series = file.series[0]
        check_declared(path, f"an image of shape {series.shape}", series.nbytes)
        check_samples(path, file)
        named = [series.axes.index(name) for name in "SC" if name in series.axes]
        return series.asarray(), next((axis for axis in named if axis in (0, 2)), None)


def _from_arrays(path: Path) -> np.ndarray:
    file = ArrayFile(path)
    names = [name for name in file if not name.startswith("__")]
    key = next((k for k in KEYS if k in names), names[0] if len(names) == 1 else None)
    if key is None:
        raise file.lacks(f"one of {', '.join(KEYS)}")
    return file.read(key)
