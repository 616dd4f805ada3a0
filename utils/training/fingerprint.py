"""What tells one training set from another of the same size: the means of some of its samples."""

import numpy as np

from data.errors import DataError

SAMPLES, SEED = 8, 0
TOLERANCE = 1e-4  # of a mean: what processors may differ by in filters, and far less than another scene does


def fingerprint(source: object) -> list[float]:
    """The means of up to eight samples, spread over the set, and of each of their arrays.

    Args:
        source: a set of `data.patches`; samples that cannot be read are left out.

    Returns:
        Numbers in [0, 1], the same wherever the set lies and on whatever machine, up to `TOLERANCE`.
    """
    means = []
    for index in sorted({int(i) for i in np.linspace(0, len(source) - 1, min(len(source), SAMPLES))}):
        try:
            sample = source.sample(index, np.random.default_rng((SEED, index)))
        except (DataError, OSError):
            continue
        means += [round(float(np.mean(value)), 7) for key, value in sorted(sample.items()) if key != "name"]
    return means


def is_same(found: object, expected: list[float]) -> bool:
    """Whether two fingerprints are of one training set."""
    if not isinstance(found, list | tuple) or len(found) != len(expected):
        return False
    if not all(isinstance(value, int | float) for value in found):
        return False
    return bool(np.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE / 100))
