"""Georeferences of rasters: reading GeoTIFF tags, and comparing two grids."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import DataError

SCALE, TIEPOINTS, MATRIX, DIRECTORY, DOUBLES, TEXT = 33550, 33922, 34264, 34735, 34736, 34737
PLACES = (TIEPOINTS, MATRIX)  # tags that put pixels at coordinates
RASTER_TYPE, POINT = 1025, 2
GEOGRAPHIC, PROJECTED = 2048, 3072
USER_DEFINED = 32767
NO_REST = 0.01  # pixels of the finer image by which two grids may differ without a note
VERTICAL = 4096  # keys from this one on do not concern horizontal coordinates

Span = tuple[int, int]


@dataclass(frozen=True)
class Georeference:
    """The grid of a raster and its coordinate reference system.

    Attributes:
        grid: (2, 3), maps (column, row, 1) to (x, y); column 0, row 0 is the outer corner of the first pixel.
        crs: "EPSG:CODE", or all keys and values of a user-defined CRS; None if the file has no CRS.
    """

    grid: np.ndarray
    crs: object

    @property
    def crs_name(self) -> str:
        """The CRS in a few words, for messages."""
        return self.crs if isinstance(self.crs, str) else "a CRS of its own" if self.crs else "no CRS"

    def extent(self, height: int, width: int) -> str:
        """Return the extent of an image of `height` x `width` pixels as text, in the units of the CRS."""
        corners = np.array([(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1)])
        (left, bottom), (right, top) = (pick(corners @ self.grid.T, axis=0) for pick in (np.min, np.max))
        return f"x {left:.10g} to {right:.10g}, y {bottom:.10g} to {top:.10g}"


@dataclass(frozen=True)
class CommonGround:
    """The pixels of an image of low resolution and of its guide that cover the same ground.

    Attributes:
        low, guide: (first, end) of the rows, then of the columns; end is not included. The guide's spans are `ratio`
            times as long.
        ratio: pixel size of the low image over that of the guide.
        rest: (columns, rows) by which the low crop lies right of and below the guide's, in pixels of the guide, -0.5 to
            0.5.
    """

    low: tuple[Span, Span]
    guide: tuple[Span, Span]
    ratio: int
    rest: tuple[float, float]


def georeference(tags: list[tuple], path: Path) -> Georeference | None:
    """Return the georeference in a TIFF's tags (`geotiff.page_geo_tags`); None without a grid.

    Ground control points are not a grid. If GTRasterType is "pixel is point", the tags refer to pixel centres, and the
    grid is moved by half a pixel to the corners.

    Raises:
        DataError: for a grid whose pixels have no area, and damaged tags.
    """
    grid, keys = _read(tags, path)
    if grid is None:
        return None
    if keys.get(RASTER_TYPE) == POINT:
        grid[:, 2] -= grid[:, :2].sum(axis=1) / 2
    if not np.isfinite(grid).all() or not np.linalg.det(grid[:, :2]):
        raise DataError(path, "a georeference whose pixels have no area", "a pixel size, or no georeference")
    return Georeference(grid, _crs(keys))


def common_ground(
    low: Georeference,
    guide: Georeference,
    low_sides: tuple[int, int],
    guide_sides: tuple[int, int],
    ratios: tuple[int, ...],
    path: Path,
    name: str = "MS image",
) -> CommonGround:
    """Return the pixels of an image of low resolution and of its guide that cover the same ground, to crop both to.

    Args:
        low, guide: georeferences of the two images.
        low_sides, guide_sides: height and width of each.
        ratios: the accepted ratios of pixel sizes.
        path: the guide's file, for messages.
        name: what messages call the low image.

    Raises:
        DataError: for different CRSs, a ratio of pixel sizes that is not in `ratios`, grids that are turned or sheared
            against each other, and images without common ground.
    """
    places = f"{guide.extent(*guide_sides)} beside the {name} of {low.extent(*low_sides)}"
    check_crs(low, guide, path, name, places)
    relative, side = relative_grid(low, guide)
    ratio = round(side) if np.isfinite(relative).all() and math.isfinite(side) else 0
    corners = np.array([(c, r, 1) for c in (0, low_sides[1]) for r in (0, low_sides[0])])
    apart = corners @ relative.T - corners[:, :2] * ratio  # offset of each corner, in the guide's pixels
    if ratio not in ratios or abs(side - ratio) * max(low_sides) > 0.5:
        expected = f"pixels {listed_ratios(ratios)} times as small"
        raise DataError(path, f"pixels {side:.6g} times as small as the {name}'s, {places}", expected)
    if np.ptp(apart, axis=0).max() > 0.5:
        raise DataError(path, f"a grid turned or sheared against the {name}'s, {places}", "grids of one direction")
    offset = np.round(apart.mean(axis=0), 3)  # ignores rounding of the tags
    whole = np.round(offset).astype(int)
    spans = [
        _common(int(start), ratio, *sides)
        for start, sides in zip(whole, zip(low_sides[::-1], guide_sides[::-1], strict=True), strict=True)
    ]
    if None in spans:
        raise DataError(path, places, "common ground")
    (low_columns, guide_columns), (low_rows, guide_rows) = (span for span in spans if span)
    column, row = (offset - whole).tolist()
    return CommonGround((low_rows, low_columns), (guide_rows, guide_columns), ratio, (column, row))


def check_crs(low: Georeference, guide: Georeference, path: Path, name: str, places: str) -> None:
    """Raise DataError, with the two extents `places`, if both images name a CRS and these differ."""
    if low.crs and guide.crs and low.crs != guide.crs:
        own = f" that differs from the {name}'s{'' if guide.crs_name != low.crs_name else ', of its own too'}"
        found = guide.crs_name if isinstance(guide.crs, str) and isinstance(low.crs, str) else guide.crs_name + own
        raise DataError(path, f"{found}, {places}", f"{low.crs_name} as the {name} has")


def relative_grid(low: Georeference, guide: Georeference) -> tuple[np.ndarray, float]:
    """Return (2, 3), which maps (column, row, 1) of one image to column and row of its guide, and its pixels' side.

    The side is in pixels of the guide. Both may be NaN or infinite for grids far apart.
    """
    with np.errstate(all="ignore"):
        moved = np.concatenate([low.grid[:, :2], low.grid[:, 2:] - guide.grid[:, 2:]], axis=1)
        relative = np.linalg.solve(guide.grid[:, :2], moved)
        return relative, math.sqrt(abs(np.linalg.det(relative[:, :2])))


def listed_ratios(ratios: tuple[int, ...]) -> str:
    """Return ratios as text: "2, 4 or 8", or "a whole number, 2 to 32," for all from 2 to 32."""
    first, last = ratios[0], ratios[-1]
    if len(ratios) > 2 and ratios == tuple(range(first, last + 1)):
        return f"a whole number, {first} to {last},"
    return f"{', '.join(map(str, ratios[:-1]))} or {last}"


def is_point(tags: list[tuple], path: Path) -> bool:
    """Whether the tags refer to pixel centres (GTRasterType is "pixel is point"). Raises DataError if damaged."""
    return _read(tags, path)[1].get(RASTER_TYPE) == POINT


def _read(tags: list[tuple], path: Path) -> tuple[np.ndarray | None, dict[int, object]]:
    """Return the grid as in the tags, or None, and the geo keys. Raises DataError for damaged tags."""
    values = {code: value if isinstance(value, str | bytes) else np.atleast_1d(value) for code, *_, value, _ in tags}
    try:
        return _grid(values), _keys(values)
    except (ValueError, TypeError, OverflowError):
        raise DataError(path, "damaged GeoTIFF tags", "numbers of a grid and its CRS, or no georeference") from None


def _grid(values: dict) -> np.ndarray | None:
    """Return the grid (2, 3) as in the tags, or None; a pixel size with a tiepoint takes precedence over a matrix."""
    scale, points = values.get(SCALE, ()), values.get(TIEPOINTS, ())
    if len(scale) >= 2 and len(points) >= 6 and len(points) % 6 == 0 and all(scale[:2]):
        (x_size, y_size), (column, row, _, x, y) = map(float, scale[:2]), map(float, points[:5])
        return np.array([[x_size, 0, x - column * x_size], [0, -y_size, y + row * y_size]])
    if len(values.get(MATRIX, ())) == 16:
        return np.array(values[MATRIX], np.float64).reshape(4, 4)[:2][:, [0, 1, 3]]
    return None


def _keys(values: dict) -> dict[int, object]:
    """Return the geo keys, number -> value."""
    entries = np.asarray(values.get(DIRECTORY, ()), np.int64)[4:]
    keys: dict[int, object] = {}
    for key, place, count, value in entries[: len(entries) // 4 * 4].reshape(-1, 4).tolist():
        store = values.get(place, ())
        held = store[value : value + count]
        keys[key] = value if place == 0 else held if isinstance(held, str | bytes) else tuple(map(float, held))
    return keys


def _crs(keys: dict[int, object]) -> object:
    code = keys.get(PROJECTED) or keys.get(GEOGRAPHIC)
    if code and USER_DEFINED not in (keys.get(PROJECTED), keys.get(GEOGRAPHIC) if PROJECTED not in keys else None):
        return f"EPSG:{code}"
    return tuple(sorted((key, value) for key, value in keys.items() if RASTER_TYPE != key < VERTICAL)) or None


def _common(offset: int, ratio: int, low_side: int, guide_side: int) -> tuple[Span, Span] | None:
    """Return the common pixels of the low image and its guide along one axis; None without any.

    The low image begins at pixel `offset` of the guide.
    """
    first = max(0, -(offset // ratio))
    start = offset + first * ratio
    count = min(low_side - first, (guide_side - start) // ratio)
    return ((first, first + count), (start, start + count * ratio)) if count > 0 else None
