"""How much the page takes: bytes of a file, pixels of an image, sides of a crop."""

import logging
import math
import warnings
from pathlib import Path

import tifffile
from PIL import Image

from data.errors import DataError

MOST_BYTES = 256 * 2**20  # of an upload
MOST_PIXELS = 2_000_000  # of either image of a pair
MOST_UNPACKED = 2**30  # bytes in memory of anything packed
MOST_SAMPLES = 2**27  # of a scene, all bands: half a GiB of floats
SIDES = (64, 512)  # of a crop that is fused, in pixels: least and most


def megabytes(count: int) -> str:
    """ "256 MB"."""
    return f"{count / 2**20:.0f} MB"


def check_bytes(path: Path) -> None:
    """DataError for a file of more than MOST_BYTES."""
    if path.stat().st_size > MOST_BYTES:
        raise DataError(path, megabytes(path.stat().st_size), f"at most {megabytes(MOST_BYTES)}, the page's limit")


def check_pixels(path: Path, most: int = MOST_PIXELS) -> None:
    """DataError for an image of more pixels, by what its header says: before it is unpacked.

    A file whose header cannot be read passes: its reader has the words for it.
    """
    shape = header_shape(path)
    if shape and math.prod(shape[:2]) > most:
        found = f"{shape[0]}x{shape[1]} pixels"
        raise DataError(path, found, f"at most {most / 1e6:g} million pixels, the page's limit (the scripts have none)")


def check_samples(where: object, shape: tuple[int, ...]) -> None:
    """DataError for a scene of more than MOST_SAMPLES samples."""
    if math.prod(shape) > MOST_SAMPLES:
        sides = "x".join(map(str, shape))
        raise DataError(where, f"{sides} samples", f"at most {MOST_SAMPLES / 1e6:.0f} million, the page's limit")


def header_shape(path: Path) -> tuple[int, ...] | None:
    """(H, W) of an image, of a TIFF the shape of its first series, largest sides first; None if unknown."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.getLogger("tifffile").setLevel(logging.CRITICAL)
            if path.suffix.lower() in (".tif", ".tiff"):
                with tifffile.TiffFile(path) as file:
                    shape = file.series[0].shape
                    return tuple(sorted(shape, reverse=True)) if len(shape) == 3 else shape
            with Image.open(path) as image:
                return image.height, image.width
    except Exception:  # damaged, or of another type
        return None
