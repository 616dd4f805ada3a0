"""How an image file holds its samples, for a result that loses none of their depth."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .geotiff import TIFF

PNG_TYPES = ("uint8", "uint16")
ORDER = ("uint8", "uint16", "uint32", "float32")


class Storage(NamedTuple):
    """The type of the samples ("uint8", "uint16", "uint32", "float32"), the number that stands for 1, and the file."""

    dtype: str
    top: int
    path: Path | None = None

    @property
    def is_tiff(self) -> bool:
        """Whether the file is one, and may say where on Earth it is."""
        return self.path is not None and self.path.suffix.lower() in TIFF

    @property
    def suffix(self) -> str:
        """Of a file that can hold it: that of a TIFF, or .png where that is enough."""
        return ".tif" if self.is_tiff or self.dtype not in PNG_TYPES else ".png"

    def deeper(self, other: "Storage") -> "Storage":
        """The one of more depth, this one where they are equal; the file is this one's, or the only TIFF of the two."""
        depth = [(ORDER.index(s.dtype), s.top) for s in (self, other)]
        path = other.path if other.is_tiff and not self.is_tiff else self.path
        return (self if depth[0] >= depth[1] else other)._replace(path=path)


def storage_of(raw: np.ndarray, path: Path, bits: int | None) -> Storage:
    """Storage of the samples as `image_file.read_raster` gives them, with the declared bit depth of `to_unit`."""
    size, kind = raw.dtype.itemsize, raw.dtype.kind
    if kind == "f":
        return Storage("float32", 2**bits - 1 if bits is not None and raw.max() > 1 else 1, path)
    if kind == "b" or size == 1:
        return Storage("uint8", 255, path)
    return Storage("uint16" if size == 2 else "uint32", 2 ** (bits or 8 * size) - 1, path)


def stretched_storage(raw: np.ndarray, path: Path, bits: int | None) -> Storage:
    """Storage of samples whose range became 0 to 1: as they are stored, or 16 bits for those in a unit of their own."""
    plain = raw.dtype.kind in "bu" and raw.dtype.itemsize <= 2
    return storage_of(raw, path, bits) if plain else Storage("uint16", 2**16 - 1, path)


def eight_bit(image: np.ndarray) -> np.ndarray:
    """An image in [0, 1], clipped and rounded to multiples of 1/255, float32 of the same shape."""
    return (np.rint(image.clip(0, 1) * 255) / 255).astype(np.float32)
