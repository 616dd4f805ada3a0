"""The sample type of an image file, so that a result can be written in the same bit depth."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .geotiff import TIFF
from .held_value import held

PNG_TYPES = ("uint8", "uint16")
ORDER = ("uint8", "uint16", "uint32", "float32")


class Storage(NamedTuple):
    """How an image file stores its samples.

    Attributes:
        dtype: "uint8", "uint16", "uint32" or "float32".
        top: the stored number that stands for 1.
        path: the file, if there is one.
        corner: first row and column of its pixels that are fused.
        nodata: text of the NoData value of a result; None if all pixels are measured.
    """

    dtype: str
    top: int
    path: Path | None = None
    corner: tuple[int, int] = (0, 0)
    nodata: str | None = None

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

        The result has the path and corner of `self`, or those of `other` if only `other` is a TIFF.
        """
        depth = [(ORDER.index(s.dtype), s.top) for s in (self, other)]
        placed = other if other.is_tiff and not self.is_tiff else self
        return (self if depth[0] >= depth[1] else other)._replace(path=placed.path, corner=placed.corner)

    def masked(self, texts: Sequence[str | None]) -> "Storage":
        """Return the storage of a result with masked pixels, whose NoData value is one of the sources'.

        A value outside the range of measurements is preferred; without one that the type can hold it is 0.

        Args:
            texts: texts of the sources' NoData values, see `nodata.declared`.
        """
        dtype = np.dtype(self.dtype)
        known = [text for text in texts if text is not None and held(float(text), dtype) is not None]
        outside = [text for text in known if not 0 <= float(text) <= self.top]
        return self._replace(nodata=next(iter([*outside, *known]), "0"))


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
