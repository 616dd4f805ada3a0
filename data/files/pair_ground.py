"""The common ground of two georeferenced images whose pixels have the same size."""

import math
from pathlib import Path

import numpy as np

from data.errors import DataError

from .georeference import NO_REST, CommonGround, Georeference, check_crs, common_ground, georeference, relative_grid
from .geotiff import geo_tags
from .orientation import orientation
from .resize import OPTION
from .tiff_sidecars import world_tags

LEAST = 16  # pixels of a side of the common ground
ROLE = "visible image"


def placed_tags(path: Path) -> list[tuple]:
    """Return the GeoTIFF tags of an image file, with the grid of its world file; an empty list without any.

    A file that is turned by its EXIF orientation has none, because a world file describes the stored pixels.

    Raises:
        DataError: see `world_tags`.
    """
    tags = geo_tags(path)
    return [] if not tags and orientation(path) != 1 else world_tags(path, tags)


def place_of(path: Path) -> Georeference | None:
    """Return the georeference of an image file, see `placed_tags`; None without one. Raises DataError as it does."""
    return georeference(placed_tags(path), path)


def pair_ground(
    visible: Georeference,
    infrared: Georeference,
    sides: tuple[tuple[int, int], tuple[int, int]],
    path: Path,
    offered: bool = False,
) -> tuple[CommonGround | None, list[str]]:
    """Return the common pixels of a pair (`low` is the visible image, `guide` the infrared one), and notes.

    The common ground is None if the pair needs no crop: the grids are equal, or the pixels differ in size and both
    images cover the same ground.

    Args:
        visible, infrared: the georeferences.
        sides: height and width of the two.
        path: the infrared image, for messages.
        offered: whether a message may offer --resize-infrared.

    Raises:
        DataError: for different CRSs, turned grids, other pixel sizes on another ground, and a common ground of less
            than 16 pixels.
    """
    places = f"{infrared.extent(*sides[1])} beside the {ROLE} of {visible.extent(*sides[0])}"
    check_crs(visible, infrared, path, ROLE, places)
    relative, side = relative_grid(visible, infrared)
    corners = np.array([(right, down, 1) for right in (0, 1) for down in (0, 1)])
    ends = [corners * (width, height, 1) for height, width in sides]
    apart = np.abs(ends[0] @ relative.T - ends[1][:, :2]).max()  # the corners, in pixels of the infrared image
    same_size = np.isfinite(side) and abs(side - 1) * max(sides[0]) <= 0.5
    if not same_size and apart <= max(side, 1) / 2:
        return None, ["grids up to half a pixel of the coarser image apart"] if apart > NO_REST * max(side, 1) else []
    if not same_size:
        expected = f"pixels of its size, or the same ground{f' ({OPTION})' if offered else ''}"
        raise DataError(
            path, f"pixels {1 / side if side else math.inf:.6g} times as large as the {ROLE}'s, {places}", expected
        )
    found = common_ground(visible, infrared, *sides, (1,), path, ROLE)
    notes = []
    if max(map(abs, found.rest)) > NO_REST:
        notes.append("grids up to half a pixel apart: fused as they are")
    whole = [tuple((0, length) for length in each) for each in sides]
    if [found.low, found.guide] == whole:
        return None, notes
    (top, bottom), (left, right) = found.low
    if min(bottom - top, right - left) < LEAST:
        raise DataError(path, f"{bottom - top}x{right - left} pixels of common ground, {places}", f"at least {LEAST}")
    notes.append(
        f"images of different extent: fused their common ground, rows {top} to {bottom} and columns {left} to "
        f"{right} of the {ROLE}"
    )
    return found, notes
