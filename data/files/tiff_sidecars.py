"""Reads files beside an image that replace missing tags: a world file, and GDAL's NAME.tif.aux.xml."""

import re
from pathlib import Path

import numpy as np

from data.errors import DataError

from .georeference import MATRIX, SCALE, is_point
from .geotiff import TIFF, nodata_value
from .regular_file import read_small

WORLD = (".tfw", ".tifw", ".tiffw", ".wld")  # of a TIFF; of others the first and the last letter, and w: .pgw, .jgw
NUMBERS = 6  # in a world file: x and y of the step to the next column, the step to the next row, the first centre
VALUE = re.compile(r"<NoDataValue\b[^>]*>([^<]*)</NoDataValue>")


def world_tags(path: Path, tags: list[tuple]) -> list[tuple]:
    """Return `tags`, the GeoTIFF tags of an image; if they have no grid, the grid of its world file is added.

    Raises:
        DataError: for a world file that does not hold six numbers.
    """
    if any(code in (SCALE, MATRIX) for code, *_ in tags):
        return tags
    own = path.suffix.lower()
    names = WORLD if own in TIFF else (f"{own[:2]}{own[-1:]}w", f"{own}w", ".wld")[0 if own else 2 :]
    suffixes = (form for suffix in names for form in (suffix, suffix.upper()))
    beside = next((p for p in map(path.with_suffix, suffixes) if p.is_file()), None)
    if beside is None:
        return tags
    try:
        numbers = [float(word) for word in read_small(beside).split()]
    except ValueError:
        numbers = []
    if len(numbers) != NUMBERS or not np.isfinite(numbers).all():
        raise DataError(beside, "no world file", "six numbers, or no such file")
    right, down, centre = (np.array(numbers[first : first + 2]) for first in (0, 2, 4))
    corner = centre if is_point(tags, path) else centre - (right + down) / 2
    (a, d), (b, e), (c, f) = (pair.tolist() for pair in (right, down, corner))
    return [*tags, (MATRIX, 12, 16, (a, b, 0.0, c, d, e, 0.0, f, *[0.0] * 7, 1.0), True)]


def aux_nodata(path: Path) -> str | None:
    """Return the text of the NoData value in GDAL's sidecar file, for the first band; None without one.

    Raises:
        DataError: for a value that is not a number.
    """
    beside = path.with_name(f"{path.name}.aux.xml")
    if not beside.is_file():
        return None
    try:
        found = VALUE.search(read_small(beside))
    except UnicodeDecodeError:
        return None
    if found is None:
        return None
    nodata_value(found[1].strip(), beside)
    return found[1].strip()
