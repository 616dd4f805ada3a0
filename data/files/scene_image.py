"""Opens one image of a scene in any format that a camera or another program writes, read in windows."""

from pathlib import Path

import numpy as np

from data.errors import DataError

from .band_images import SUFFIXES as ARRAYS
from .band_images import Cubes
from .gdal_metadata import Described
from .image_file import SUFFIXES as PICTURES
from .image_file import read_upright
from .raster_windows import Windows


class Loaded(Windows):
    """An image in memory, with the interface of `Windows`.

    Args:
        path: its file.
        array: (B, H, W).
        rgb: whether its three bands are red, green and blue.
        notes: remarks on reading it.
    """

    def __init__(self, path: Path, array: np.ndarray, rgb: bool, notes: list[str]) -> None:
        self.path, self.array, self.dtype, self.shape = path, array, array.dtype, array.shape
        self.tags, self.nodata, self.described, self.notes = [], None, Described(rgb=rgb), notes


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
    if suffix in (".mat", ".h5", ".hdf5"):
        cubes = Cubes(path)
        if len(cubes) != 1:
            raise DataError(path, f"{len(cubes)} images", "one, the image of a scene")
        return Loaded(path, cubes.read(0, cubes.shape(0, bands)).astype(cubes.dtype(0)), False, [])
    if suffix in PICTURES and suffix not in ARRAYS:
        image, notes = read_upright(path)
        planes = image[None] if image.ndim == 2 else np.moveaxis(image, -1, 0)
        if len(planes) in (2, 4):
            raise DataError(path, "an alpha channel", "bands alone")
        return Loaded(path, planes, len(planes) == 3, [f"{path.name}: {note}." for note in notes])
    return Windows(path, bands=bands)
