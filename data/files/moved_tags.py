"""GeoTIFF tags of a crop, and of an image with finer pixels."""

from pathlib import Path

import numpy as np

from .georeference import MATRIX, SCALE, TIEPOINTS, is_point


def moved_tags(tags: list[tuple], row: int, column: int) -> list[tuple]:
    """Return the GeoTIFF tags of a crop that begins at `row` and `column` of the image that has `tags`."""
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


def finer_tags(tags: list[tuple], ratio: int, path: Path) -> list[tuple]:
    """Return the GeoTIFF tags of an image of the same ground whose pixels are `ratio` times as small.

    Args:
        tags: tags of the coarse image.
        ratio: ratio of the pixel sizes.
        path: the coarse image, for messages.

    Raises:
        DataError: for damaged tags.
    """
    shift = 0.5 if is_point(tags, path) else 0.0  # of pixel centres: (0, 0) is half a pixel inside
    finer = []
    for code, dtype, count, value, once in tags:
        numbers = value
        if code == SCALE:
            numbers = (value[0] / ratio, value[1] / ratio, *value[2:])
        elif code == TIEPOINTS:
            points = np.array(value, np.float64).reshape(-1, 6)
            points[:, :2] = (points[:, :2] + shift) * ratio - shift
            numbers = tuple(points.ravel().tolist())
        elif code == MATRIX:
            matrix = np.array(value, np.float64).reshape(4, 4)
            matrix[:, :2] /= ratio
            matrix[:, 3] += matrix[:, :2].sum(axis=1) * shift * (1 - ratio)
            numbers = tuple(matrix.ravel().tolist())
        finer.append((code, dtype, count, numbers, once))
    return finer
