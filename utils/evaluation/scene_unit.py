"""Checks that a scene's samples are digital numbers of the given bit depth: floats in [0, 1] and bytes may not be."""

import numpy as np

from data.errors import DataError
from data.files.nodata import SEEN, MeasuredWindows
from data.files.sample_range import are_digital_numbers


def check_unit(measured: MeasuredWindows, scale: int, option: str = "--bits") -> None:
    """Raise DataError unless an image has the expected unit; of large images every n-th pixel is checked.

    Args:
        measured: the image, with its NoData pixels.
        scale: digital number of 1; 1 for images in [0, 1].
        option: the option that sets the bit depth, for messages.

    Raises:
        DataError: for an integer type with fewer bits than `scale`, and floats in [0, 1] if digital numbers are
            expected.
    """
    image = measured.image
    if image.dtype.kind == "u" and np.iinfo(image.dtype).max < scale:
        depth = 8 * image.dtype.itemsize
        expected = f"samples of the {scale.bit_length()} bits asked for, or {option} {depth}"
        raise DataError(image.path, f"{depth}-bit samples", expected)
    if image.dtype.kind != "f" or scale == 1:
        return
    step = -(-max(image.shape[1:]) // SEEN)
    seen = image.array[:, ::step, ::step]
    seen = seen[np.isfinite(seen) & (True if measured.held is None else seen != measured.held)]
    expected = f"digital numbers, 0 to {scale} ({option}; 1 for images in [0, 1])"
    if seen.any() and not are_digital_numbers(seen, image.path, expected):
        raise DataError(image.path, f"floats up to {seen.max():g}", expected)
