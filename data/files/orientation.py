"""The way up of a photograph: EXIF says how its stored pixels are to be turned or mirrored."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image

ORIENTATION = 0x0112  # of EXIF and TIFF; 1: as stored


def orientation(path: Path) -> int:
    """The EXIF orientation of an image file, 1 to 8; 1 where it has none that is known."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                found = image.getexif().get(ORIENTATION, 1)
    except Exception:  # whatever Pillow does not know, and damaged tags
        return 1
    return found if found in range(2, 9) else 1


def upright(image: np.ndarray, number: int) -> np.ndarray:
    """Stored pixels (H, W[, C]) as EXIF orientation `number` has them shown; 5 to 8 exchange height and width."""
    if number in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if number in (3, 4, 7, 8):
        image = image[::-1]
    if number in (2, 3, 6, 7):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)


def sides_found(path: Path, image: np.ndarray) -> str:
    """The sides of an image (H, W) that `image_file.read_upright` read, with the orientation where it is not 1."""
    number = orientation(path)
    return f"{image.shape[0]}x{image.shape[1]} pixels" + (f" (EXIF orientation {number})" if number > 1 else "")
