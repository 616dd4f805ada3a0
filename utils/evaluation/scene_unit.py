"""Whether a scene's samples are the digital numbers that its bit depth says: floats in [0, 1] and bytes may be none."""

import numpy as np

from data.errors import DataError
from data.files.nodata import SEEN, MeasuredWindows
from data.files.sample_range import are_digital_numbers


def check_unit(measured: MeasuredWindows, scale: int) -> None:
    """Have an image in the unit that is asked for; of more than 1024 pixels a side, some are looked at.

    Args:
        measured: the image, and which pixels of it hold measurements.
        scale: digital number of 1; 1 for images in [0, 1].

    Raises:
        DataError: for bytes beside a depth of more than 8 bits, and floats in [0, 1] where digital numbers are asked
            for.
    """
    image = measured.image
    if image.dtype.kind == "u" and np.iinfo(image.dtype).max < scale:
        depth = 8 * image.dtype.itemsize
        expected = f"samples of the {scale.bit_length()} bits asked for, or --bits {depth}"
        raise DataError(image.path, f"{depth}-bit samples", expected)
    if image.dtype.kind != "f" or scale == 1:
        return
    step = -(-max(image.shape[1:]) // SEEN)
    seen = image.array[:, ::step, ::step]
    seen = seen[np.isfinite(seen) & (True if measured.held is None else seen != measured.held)]
    expected = f"digital numbers, 0 to {scale} (--bits; 1 for images in [0, 1])"
    if seen.any() and not are_digital_numbers(seen, image.path, expected):
        raise DataError(image.path, f"floats up to {seen.max():g}", expected)
