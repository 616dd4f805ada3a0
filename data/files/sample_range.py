"""The range that samples use, judged by most of them, so that a few extreme values do not matter."""

import numpy as np

from data.errors import DataError

USED = 1 / 4  # samples that use a smaller fraction of a type's range may have a smaller bit depth
TAIL = 0.5  # percent of the samples that are ignored at either end


def typical(image: np.ndarray) -> float:
    """Return the median of the nonzero samples, or 0 if all are zero; samples of any shape, without NaN."""
    image = np.asarray(image)
    shown = image[image != 0]
    return float(np.median(shown)) if shown.size else 0.0


def spread(image: np.ndarray) -> tuple[float, float]:
    """Return the 0.5th and the 99.5th percentile of samples of any shape, without NaN."""
    low, high = np.percentile(image, (TAIL, 100 - TAIL))
    return float(low), float(high)


def uses_little(image: np.ndarray, depth: int) -> bool:
    """Whether 99 % of the samples lie within a quarter of the range of `depth` bits: the true depth may be smaller."""
    low, high = spread(image)
    return high - low < USED * (2**depth - 1)


def listed(image: np.ndarray) -> str:
    """Return the smallest and the largest sample as text, for messages: "from 0 to 255"."""
    return f"from {digits(image.min())} to {digits(image.max())}"


def digits(sample: np.generic) -> str:
    """Return a sample as text, in the fewest digits that identify it."""
    return str(sample).removesuffix(".0")


def are_digital_numbers(image: np.ndarray, where: object, expected: str, slack: float = 0.0) -> bool:
    """Whether floats are digital numbers (True) or an image in [0, 1] (False).

    They are an image if none exceeds 1 + `slack`, and digital numbers if the median of the nonzero ones exceeds 1.

    Args:
        image: finite floats of any shape.
        where: the file, for messages.
        expected: what the message expects.
        slack: by how much an image in [0, 1] may exceed 1.

    Raises:
        DataError: if neither holds, because the floats may be either.
    """
    most = image.max()
    if most <= 1 + slack:
        return False
    if typical(image) > 1:
        return True
    raise DataError(where, f"floats up to {digits(most)}, most of them at most 1", expected)
