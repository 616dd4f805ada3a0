"""The sample type of an image file, so that a result can be written in the same bit depth."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .geotiff import TIFF

PNG_TYPES = ("uint8", "uint16")
ORDER = ("uint8", "uint16", "uint32", "float32")


class Storage(NamedTuple):
    """How an image file stores its samples.

    Attributes:
        dtype: "uint8", "uint16", "uint32" or "float32".
        top: the stored number that stands for 1.
        path: the file, if there is one.
    """

    dtype: str
    top: int
    path: Path | None = None

    @property
    def is_tiff(self) -> bool:
        """Whether the file is a TIFF, which may have a georeference."""
        return self.path is not None and self.path.suffix.lower() in TIFF

    @property
    def suffix(self) -> str:
        """The suffix for a result of this type: .tif for a TIFF, or if PNG cannot hold the type; else .png."""
        return ".tif" if self.is_tiff or self.dtype not in PNG_TYPES else ".png"

    def deeper(self, other: "Storage") -> "Storage":
        """Return the storage with more bits, `self` if both have equally many.

        The result has the path of `self`, or the path of `other` if only `other` is a TIFF.
        """
        depth = [(ORDER.index(s.dtype), s.top) for s in (self, other)]
        path = other.path if other.is_tiff and not self.is_tiff else self.path
        return (self if depth[0] >= depth[1] else other)._replace(path=path)


def storage_of(raw: np.ndarray, path: Path, bits: int | None) -> Storage:
    """Return how a file stores its samples.

    Args:
        raw: the samples, as `image_file.read_raster` returns them.
        path: the file.
        bits: bit depth of samples stored in more than 8 bits, see `image_file.to_unit`; None is that of their type.
    """
    size, kind = raw.dtype.itemsize, raw.dtype.kind
    if kind == "f":
        return Storage("float32", 2**bits - 1 if bits is not None and raw.max() > 1 else 1, path)
    if kind == "b" or size == 1:
        return Storage("uint8", 255, path)
    return Storage("uint16" if size == 2 else "uint32", 2 ** (bits or 8 * size) - 1, path)


def stretched_storage(raw: np.ndarray, path: Path, bits: int | None) -> Storage:
    """Return the storage for samples whose range was stretched to 0..1.

    Unsigned integers of up to 16 bits keep their own storage; other samples get 16 bits.
    """
    plain = raw.dtype.kind in "bu" and raw.dtype.itemsize <= 2
    return storage_of(raw, path, bits) if plain else Storage("uint16", 2**16 - 1, path)


def eight_bit(image: np.ndarray) -> np.ndarray:
    """Return an image clipped to [0, 1] and rounded to multiples of 1/255, float32 of the same shape."""
    return (np.rint(image.clip(0, 1) * 255) / 255).astype(np.float32)
