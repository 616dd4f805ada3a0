"""A value that a file declares, such as its NoData value, as a sample of an image's type."""

import math

import numpy as np


def held(value: float | np.number, dtype: np.dtype) -> np.generic | None:
    """Return a value as a sample of this type; None if the type cannot hold it."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            number = dtype.type(value)
        return None if np.isinf(number) and not math.isinf(value) else number
    if dtype.kind == "b":
        return np.bool_(value) if value in {0, 1} else None
    fits = math.isfinite(value) and value == int(value) and np.iinfo(dtype).min <= value <= np.iinfo(dtype).max
    return dtype.type(int(value)) if fits else None
