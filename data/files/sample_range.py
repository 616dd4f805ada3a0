"""Which range samples use, judged by most of them: a few extreme values decide nothing."""

import numpy as np

from data.errors import DataError

USED = 1 / 4  # share of a container's range below which it is doubtful that samples have its depth
TAIL = 0.5  # percentiles cut off at either end of a range


def typical(image: np.ndarray) -> float:
    """The median of the samples that are not zero, 0 where all are; samples of any shape, without NaN."""
    image = np.asarray(image)
    shown = image[image != 0]
    return float(np.median(shown)) if shown.size else 0.0


def spread(image: np.ndarray) -> tuple[float, float]:
    """The percentiles 0.5 and 99.5 of the samples; samples of any shape, without NaN."""
    low, high = np.percentile(image, (TAIL, 100 - TAIL))
    return float(low), float(high)


def uses_little(image: np.ndarray, depth: int) -> bool:
    """Whether 99 % of the samples lie within a quarter of the range of `depth` bits: they may be of fewer bits."""
    low, high = spread(image)
    return high - low < USED * (2**depth - 1)


def listed(image: np.ndarray) -> str:
    """The least and the largest sample."""
    return f"from {digits(image.min())} to {digits(image.max())}"


def digits(sample: np.generic) -> str:
    """A sample in as few digits as tell it from its neighbours."""
    return str(sample).removesuffix(".0")


def are_digital_numbers(image: np.ndarray, where: object, expected: str, slack: float = 0.0) -> bool:
    """Whether floats are digital numbers, most of them over 1, or an image in [0, 1]; zeros decide nothing.

    Args:
        image: floats of any shape, finite.
        where: the file, for messages.
        expected: what to do, for messages.
        slack: how far values may exceed 1 in an image in [0, 1].

    Raises:
        DataError: where most are in [0, 1] and others exceed it by more than `slack`: it may be either.
    """
    most = image.max()
    if most <= 1 + slack:
        return False
    if typical(image) > 1:
        return True
    raise DataError(where, f"floats up to {digits(most)}, most of them at most 1", expected)
