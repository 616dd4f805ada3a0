"""Test images known by what they show, whatever their file is called: a copy, a PNG of a JPEG, other bits.

`test_images.csv` has a line an image: the set, the name, height and width, and the means of its luma over a grid of 8
by 8, two hexadecimal digits each (benchmarks/sign_test_images.py writes it). Images of one size whose means differ by
no more than `TOLERANCE` everywhere are the same. Neighbouring slices of a brain, the closest among these sets, are nine
times as far apart. Of sets that are not in the file the names of `splits` are all that is known.
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
TOLERANCE = 1.0  # of 255: half for the rounded means, and what other decoders, bits and light compression change


def cell_means(image: np.ndarray) -> np.ndarray:
    """Means over a grid of 8 by 8, (64,) from 0 to 255, of an image (H, W) in [0, 1] with sides of at least 8."""
    height, width = image.shape
    rows, columns = ([side * i // GRID for i in range(GRID + 1)] for side in (height, width))
    sums = np.add.reduceat(np.add.reduceat(image.astype(np.float64), rows[:-1], 0), columns[:-1], 1)
    return (255 * sums / np.outer(np.diff(rows), np.diff(columns))).ravel()


def known_name(path: Path, bits: int | None = None) -> str | None:
    """Which test image a file shows, as "roadscene_50/FLIR_00211"; None for others, and for what cannot be read.

    Args:
        path: of the image; it is decoded only where its size is that of a test image.
        bits: declared depth, see `to_unit`.
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
    """Height and width by the header; None where Pillow does not know the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                return image.height, image.width
    except Exception:  # of damaged files, any type
        return None


@cache
def _known() -> dict[tuple[int, ...], tuple[list[str], np.ndarray]]:
    """(H, W) -> the names and means (n, 64) of the test images of that size."""
    sizes: dict[tuple[int, ...], list[tuple[str, list[int]]]] = {}
    with FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            means = list(bytes.fromhex(row["means"]))
            sizes.setdefault((int(row["height"]), int(row["width"])), []).append((f"{row['set']}/{row['name']}", means))
    return {size: ([n for n, _ in rows], np.array([m for _, m in rows], float)) for size, rows in sizes.items()}
