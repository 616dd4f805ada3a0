"""EXIF orientation: how the stored pixels of a photograph must be turned or mirrored for display."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image

ORIENTATION = 0x0112  # the tag in EXIF and TIFF; its value 1 means as stored


def orientation(path: Path) -> int:
    """Return the EXIF orientation of an image file, 1 to 8; 1 if the file has no valid one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                found = image.getexif().get(ORIENTATION, 1)
    except Exception:  # formats that Pillow does not know, and damaged tags
        return 1
    return found if found in range(2, 9) else 1


def upright(image: np.ndarray, number: int) -> np.ndarray:
    """Return stored pixels (H, W[, C]) turned for display by EXIF orientation `number`; 5 to 8 exchange H and W."""
    if number in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if number in (3, 4, 7, 8):
        image = image[::-1]
    if number in (2, 3, 6, 7):
        image = image[:, ::-1]
    return np.ascontiguousarray(image)


def sides_found(path: Path, image: np.ndarray) -> str:
    """Return the sides of an image (H, W) of `image_file.read_upright` as text, with an orientation other than 1."""
    number = orientation(path)
    return f"{image.shape[0]}x{image.shape[1]} pixels" + (f" (EXIF orientation {number})" if number > 1 else "")
