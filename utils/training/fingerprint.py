"""A fingerprint of a training set, the means of some samples: it tells sets of the same size apart."""

import numpy as np

from data.errors import DataError

SAMPLES, SEED = 8, 0
TOLERANCE = 1e-4  # relative; processors differ by less in filters, other scenes by far more


def fingerprint(source: object) -> list[float]:
    """Return the mean of every array in up to eight samples, spread over the set.

    Args:
        source: a set of `data.patches`; samples that cannot be read are left out.

    Returns:
        Numbers in [0, 1]. They do not depend on the set's path, and on the machine only within `TOLERANCE`.
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
    """Whether two fingerprints agree within `TOLERANCE`; anything but a list of as many numbers does not."""
    if not isinstance(found, list | tuple) or len(found) != len(expected):
        return False
    if not all(isinstance(value, int | float) for value in found):
        return False
    return bool(np.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE / 100))
