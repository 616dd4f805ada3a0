"""Recognises test images by their content under any file name: a copy, a PNG of a JPEG, another bit depth.

`test_images.csv` has one line per image: the set, the name, height and width, and the means of its luma over a grid of
8 by 8, two hexadecimal digits each (benchmarks/sign_test_images.py writes it). Images of one size are the same if no
mean differs by more than `TOLERANCE`. The closest different images of these sets, neighbouring slices of a brain, are
nine times as far apart. Sets that are not in the file are recognised by the names in `splits` only.
"""

import csv
import warnings
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from data.errors import DataError
from data.files.image_file import read_raster, to_gray, to_unit

FILE = Path(__file__).with_suffix(".csv")
GRID = 8
TOLERANCE = 1.0  # of 255: 0.5 for rounded means, the rest for other decoders, bit depths and light compression


def cell_means(image: np.ndarray) -> np.ndarray:
    """Return the means of an image (H, W) in [0, 1], sides of at least 8, over a grid of 8 by 8: (64,), 0 to 255."""
    height, width = image.shape
    rows, columns = ([side * i // GRID for i in range(GRID + 1)] for side in (height, width))
    sums = np.add.reduceat(np.add.reduceat(image.astype(np.float64), rows[:-1], 0), columns[:-1], 1)
    return (255 * sums / np.outer(np.diff(rows), np.diff(columns))).ravel()


def known_name(path: Path, bits: int | None = None) -> str | None:
    """Return the test image that a file shows, "roadscene_50/FLIR_00211"; None for other and for unreadable files.

    Args:
        path: the image file; it is decoded only if its size is that of a test image, or unknown.
        bits: bit depth of its samples, see `to_unit`.
    """
    size = _size(path)
    if size is not None and size not in _known():
        return None
    try:
        image = to_unit(to_gray(read_raster(path))[0], path, bits)[0]
    except (DataError, OSError):
        return None
    names, means = _known().get(image.shape, ((), np.empty((0, GRID * GRID))))
    apart = np.abs(means - cell_means(image)).max(axis=1) if len(names) else np.empty(0)
    return names[int(apart.argmin())] if len(names) and apart.min() <= TOLERANCE else None


def _size(path: Path) -> tuple[int, int] | None:
    """Return height and width from the file's header; None if Pillow cannot read it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                return image.height, image.width
    except Exception:  # damaged files raise any type
        return None


@cache
def _known() -> dict[tuple[int, ...], tuple[list[str], np.ndarray]]:
    """Return (H, W) -> the names and the means (n, 64) of the test images of that size."""
    sizes: dict[tuple[int, ...], list[tuple[str, list[int]]]] = {}
    with FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            means = list(bytes.fromhex(row["means"]))
            sizes.setdefault((int(row["height"]), int(row["width"])), []).append((f"{row['set']}/{row['name']}", means))
    return {size: ([n for n, _ in rows], np.array([m for _, m in rows], float)) for size, rows in sizes.items()}
