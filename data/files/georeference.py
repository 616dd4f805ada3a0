"""Where on Earth a raster's pixels are, out of its GeoTIFF tags: read, compared, moved."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.errors import DataError

SCALE, TIEPOINTS, MATRIX, DIRECTORY, DOUBLES, TEXT = 33550, 33922, 34264, 34735, 34736, 34737
RASTER_TYPE, POINT = 1025, 2
GEOGRAPHIC, PROJECTED = 2048, 3072
USER_DEFINED = 32767
VERTICAL = 4096  # this key and those above say nothing of the plane

Span = tuple[int, int]


@dataclass(frozen=True)
class Georeference:
    """The grid of a raster and its coordinate reference system.

    Attributes:
        grid: (2, 3), takes (column, row, 1) to (x, y); (0, 0) is the outer corner of the first pixel.
        crs: "EPSG:CODE", or all keys and values of a user-defined one; None where the file names none.
    """

    grid: np.ndarray
    crs: object

    @property
    def crs_name(self) -> str:
        """The CRS in a few words."""
        return self.crs if isinstance(self.crs, str) else "a CRS of its own" if self.crs else "no CRS"

    def extent(self, height: int, width: int) -> str:
        """What so many pixels cover, in words."""
        corners = np.array([(0, 0, 1), (width, 0, 1), (0, height, 1), (width, height, 1)])
        (left, bottom), (right, top) = (pick(corners @ self.grid.T, axis=0) for pick in (np.min, np.max))
        return f"x {left:.10g} to {right:.10g}, y {bottom:.10g} to {top:.10g}"


@dataclass(frozen=True)
class CommonGround:
    """The pixels of an MS and of a pan image that cover the same ground.

    Attributes:
        ms, pan: rows and columns, those of the pan `ratio` times as many.
        ratio: of the pixels' sides.
        rest: columns and rows of the pan by which the grids are apart even so, half a pixel at most.
    """

    ms: tuple[Span, Span]
    pan: tuple[Span, Span]
    ratio: int
    rest: tuple[float, float]


def georeference(tags: list[tuple], path: Path) -> Georeference | None:
    """Out of a TIFF's tags (`geotiff.page_geo_tags`); None where they give no grid: none at all, or control points.

    Tags of pixels as points (GTRasterType) name the centre of a pixel.

    Raises:
        DataError: for a grid of no area, and tags that hold something else than numbers.
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
    ms: Georeference,
    pan: Georeference,
    ms_sides: tuple[int, int],
    pan_sides: tuple[int, int],
    ratios: tuple[int, ...],
    path: Path,
) -> CommonGround:
    """What to crop both images to.

    Args:
        ms, pan: of the two images, of one CRS where both name one.
        ms_sides, pan_sides: height and width.
        ratios: of the pixels' sides, that are taken.
        path: of the pan, for messages.

    Raises:
        DataError: for another CRS, pixel ratio or direction of the axes, and where no ground is common.
    """
    places = f"{pan.extent(*pan_sides)} beside an MS image of {ms.extent(*ms_sides)}"
    if ms.crs and pan.crs and ms.crs != pan.crs:
        own = f" that differs from the MS image's{'' if pan.crs_name != ms.crs_name else ', of its own too'}"
        found = pan.crs_name if isinstance(pan.crs, str) and isinstance(ms.crs, str) else pan.crs_name + own
        raise DataError(path, f"{found}, {places}", f"{ms.crs_name} as the MS image has")
    origin = pan.grid[:, 2:]
    moved = np.concatenate([ms.grid[:, :2], ms.grid[:, 2:] - origin], axis=1)
    with np.errstate(all="ignore"):
        relative = np.linalg.solve(pan.grid[:, :2], moved)  # MS columns and rows -> the pan's
        side = math.sqrt(abs(np.linalg.det(relative[:, :2])))
    ratio = round(side) if np.isfinite(relative).all() and math.isfinite(side) else 0
    corners = np.array([(c, r, 1) for c in (0, ms_sides[1]) for r in (0, ms_sides[0])])
    apart = corners @ relative.T - corners[:, :2] * ratio  # of the corners, in pan pixels
    if ratio not in ratios or abs(side - ratio) * max(ms_sides) > 0.5:
        expected = f"pixels {', '.join(map(str, ratios[:-1]))} or {ratios[-1]} times as small"
        raise DataError(path, f"pixels {side:.6g} times as small as the MS image's, {places}", expected)
    if np.ptp(apart, axis=0).max() > 0.5:
        raise DataError(path, f"a grid turned or sheared against the MS image's, {places}", "grids of one direction")
    offset = np.round(apart.mean(axis=0), 3)  # what rounding of the tags leaves is no offset
    whole = np.round(offset).astype(int)
    spans = [
        _common(int(start), ratio, *sides)
        for start, sides in zip(whole, zip(ms_sides[::-1], pan_sides[::-1], strict=True), strict=True)
    ]
    if None in spans:
        raise DataError(path, places, "common ground")
    (ms_columns, pan_columns), (ms_rows, pan_rows) = (span for span in spans if span)
    column, row = (offset - whole).tolist()
    return CommonGround((ms_rows, ms_columns), (pan_rows, pan_columns), ratio, (column, row))


def moved_tags(tags: list[tuple], row: int, column: int) -> list[tuple]:
    """The tags of an image whose first pixel is at this row and column of the one that they are of."""
    values = {code: value for code, *_, value, _ in tags}
    moved = []
    for code, dtype, count, value, once in tags:
        numbers = value
        if code == TIEPOINTS and SCALE in values:
            x, y = values[SCALE][:2]
            numbers = np.reshape(value, (-1, 6)) + np.array([0, 0, 0, column * x, -row * y, 0])
        elif code == MATRIX:
            matrix = np.array(value, np.float64).reshape(4, 4)
            matrix[:, 3] += matrix[:, 0] * column + matrix[:, 1] * row
            numbers = matrix
        moved.append((code, dtype, count, numbers if numbers is value else tuple(np.ravel(numbers).tolist()), once))
    return moved


def is_point(tags: list[tuple], path: Path) -> bool:
    """Whether the tags' coordinates are those of pixels' centres; DataError as of `georeference`."""
    return _read(tags, path)[1].get(RASTER_TYPE) == POINT


def _read(tags: list[tuple], path: Path) -> tuple[np.ndarray | None, dict[int, object]]:
    """The grid, as the tags have it, and the geo keys."""
    values = {code: value if isinstance(value, str | bytes) else np.atleast_1d(value) for code, *_, value, _ in tags}
    try:
        return _grid(values), _keys(values)
    except (ValueError, TypeError, OverflowError):
        raise DataError(path, "damaged GeoTIFF tags", "numbers of a grid and its CRS, or no georeference") from None


def _grid(values: dict) -> np.ndarray | None:
    """(2, 3), as the tags have it; a pixel size with a tiepoint goes before a matrix."""
    scale, points = values.get(SCALE, ()), values.get(TIEPOINTS, ())
    if len(scale) >= 2 and len(points) >= 6 and len(points) % 6 == 0 and all(scale[:2]):
        (x_size, y_size), (column, row, _, x, y) = map(float, scale[:2]), map(float, points[:5])
        return np.array([[x_size, 0, x - column * x_size], [0, -y_size, y + row * y_size]])
    if len(values.get(MATRIX, ())) == 16:
        return np.array(values[MATRIX], np.float64).reshape(4, 4)[:2][:, [0, 1, 3]]
    return None


def _keys(values: dict) -> dict[int, object]:
    """Number and value of every geo key."""
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


def _common(offset: int, ratio: int, ms_side: int, pan_side: int) -> tuple[Span, Span] | None:
    """Pixels of MS and pan along one axis, the MS image beginning at pixel `offset` of the pan; None where none are."""
    first = max(0, -(offset // ratio))
    start = offset + first * ratio
    count = min(ms_side - first, (pan_side - start) // ratio)
    return ((first, first + count), (start, start + count * ratio)) if count > 0 else None
