"""Opens one image of a scene in any format that a camera or another program writes, read in windows."""

from pathlib import Path

import numpy as np

from data.errors import DataError

from .array_file import SUFFIXES as ARRAYS
from .array_file import ArrayFile
from .band_axis import band_axis
from .envi import envi_files
from .gdal_metadata import Described
from .geotiff import TIFF
from .image_file import SUFFIXES as PICTURES
from .image_file import read_upright
from .raster_windows import Windows
from .regular_file import check_regular
from .tiff_sidecars import world_tags

KNOWN = ".tif, .npy, .mat, .h5, .png, .jpg or ENVI's .hdr"


class Loaded(Windows):
    """An image in memory, with the interface of `Windows`.

    Args:
        path: its file, beside which a world file may be.
        array: (B, H, W).
        rgb: whether its three bands are red, green and blue.
        notes: remarks on reading it.
    """

    def __init__(self, path: Path, array: np.ndarray, rgb: bool, notes: list[str]) -> None:
        self.path, self.array, self.dtype, self.shape = path, array, array.dtype, array.shape
        self.tags, self.nodata, self.described, self.notes = world_tags(path, []), None, Described(rgb=rgb), notes


def open_image(path: Path, bands: int | None = None) -> Windows:
    """Open an image of a scene.

    TIFF, ENVI and .npy files stay on disk. Arrays of .mat and .h5 files and photographs (.png, .jpg, ...) are read into
    memory; photographs have the bands red, green and blue, and are turned as their EXIF orientation says.

    Args:
        path: the file.
        bands: expected number of bands, to find their axis in an array.

    Raises:
        DataError: for files that are missing, damaged or of another type, and alpha channels.
    """
    suffix = path.suffix.lower()
    if suffix in ARRAYS:
        return Loaded(path, _array(path, bands), False, [])
    if suffix in PICTURES and suffix not in TIFF:
        image, notes = read_upright(path)
        planes = image[None] if image.ndim == 2 else np.moveaxis(image, -1, 0)
        if len(planes) in (2, 4):
            raise DataError(path, "an alpha channel", "bands alone")
        return Loaded(path, planes, len(planes) == 3, [f"{path.name}: {note}." for note in notes])
    check_regular(path, f"an image ({KNOWN})")
    if suffix not in (*TIFF, ".npy") and envi_files(path) is None:
        raise DataError(path, f"a file ending in '{suffix}'", KNOWN)
    return Windows(path, bands=bands)


def _array(path: Path, bands: int | None) -> np.ndarray:
    """Return the only array (B, H, W) of a file that has three axes, or else two, as stored."""
    file = ArrayFile(path)
    shapes = {name: file[name].shape for name in file if not name.startswith("__") and file[name].dtype.kind in "uif"}
    for axes in (3, 2):
        names = [name for name, shape in shapes.items() if len(shape) == axes and min(shape) > axes - 2]
        if len(names) > 1:
            raise DataError(path, f"the images {', '.join(names[:8])}", "one of them alone in the file")
        if names:
            array = file.read(names[0])
            if axes == 2:
                return array[None]
            ends = [axis for axis in (2, 0) if array.shape[axis] == bands]
            usual = 2 if path.suffix.lower() == ".mat" else None
            return np.moveaxis(array, ends[0] if len(ends) == 1 else band_axis(array.shape, path, usual=usual), 0)
    raise file.lacks("cube, an array (H, W, B) or (B, H, W)")
