"""The page's limits: bytes of a file, pixels of an image, sides of a crop."""

import logging
import math
import warnings
from pathlib import Path

import tifffile
from PIL import Image

from data.errors import DataError

MOST_BYTES = 256 * 2**20  # bytes of an upload
MOST_PIXELS = 2_000_000  # pixels of each image of a pair
MOST_UNPACKED = 2**30  # bytes to which a compressed file may decompress
MOST_SAMPLES = 2**27  # samples of a scene over all bands, half a GiB of floats
SIDES = (64, 512)  # smallest and largest side of a crop in pixels


def megabytes(count: int) -> str:
    """Return a number of bytes as text: "256 MB"."""
    return f"{count / 2**20:.0f} MB"


def check_bytes(path: Path) -> None:
    """Raise DataError for a file of more than MOST_BYTES."""
    if path.stat().st_size > MOST_BYTES:
        raise DataError(path, megabytes(path.stat().st_size), f"at most {megabytes(MOST_BYTES)}, the page's limit")


def check_pixels(path: Path, most: int = MOST_PIXELS) -> None:
    """Raise DataError if an image has more than `most` pixels by its header, before it is decoded.

    A file whose header cannot be read passes, because its reader will report the error.
    """
    shape = header_shape(path)
    if shape and math.prod(shape[:2]) > most:
        found = f"{shape[0]}x{shape[1]} pixels"
        raise DataError(path, found, f"at most {most / 1e6:g} million pixels, the page's limit (the scripts have none)")


def check_samples(where: object, shape: tuple[int, ...]) -> None:
    """Raise DataError for a scene of more than MOST_SAMPLES samples."""
    if math.prod(shape) > MOST_SAMPLES:
        sides = "x".join(map(str, shape))
        raise DataError(where, f"{sides} samples", f"at most {MOST_SAMPLES / 1e6:.0f} million, the page's limit")


def header_shape(path: Path) -> tuple[int, ...] | None:
    """Return (H, W) of an image from its header; None if unknown.

    For a TIFF it is the shape of its first series; three axes are sorted, the longest first.
    """
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
