"""Which range floats use, judged by the bulk of them: a single extreme value decides nothing."""

import numpy as np

from data.errors import DataError

BULK = 0.99  # share of the samples that decides


def bulk(image: np.ndarray) -> float:
    """The value that 99 % of the samples do not exceed; samples of any shape, without NaN."""
    flat = np.asarray(image).reshape(-1)
    at = min(int(BULK * flat.size), flat.size - 1)
    return float(np.partition(flat, at)[at])


def are_digital_numbers(image: np.ndarray, where: object, expected: str, slack: float = 0.0) -> bool:
    """Whether floats are digital numbers, most of them over 1, or an image in [0, 1].

    Args:
        image: floats of any shape, finite.
        where: the file, for messages.
        expected: what to do, for messages.
        slack: how far values may exceed 1 in an image in [0, 1].

    Raises:
        DataError: where the bulk is in [0, 1] and single values exceed it by more than `slack`: it may be either.
    """
    most = float(image.max())
    if most <= 1 + slack:
        return False
    if bulk(image) > 1:
        return True
    found = f"floats up to {most:g}, {BULK:.0%} of them at most 1"
    raise DataError(where, found, expected)
