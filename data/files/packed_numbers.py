"""Refuses HDF5 numbers whose attributes say that they are not what they stand for: packed, or with missing values.

Attributes of the CF conventions (netCDF-4, written by xarray among others): values are stored * scale_factor +
add_offset, and entries equal to _FillValue or missing_value were not measured.
"""

from pathlib import Path

import h5py
import numpy as np

from data.errors import DataError

from .held_value import held

NEUTRAL = {"scale_factor": 1.0, "add_offset": 0.0}
MISSING = ("_FillValue", "missing_value")


def check_plain(path: Path, name: str, dataset: h5py.Dataset, values: np.ndarray) -> None:
    """Raise DataError if numbers of a dataset are packed or missing.

    Args:
        path: the file, for messages.
        name: name of the dataset, for messages.
        dataset: the dataset; an attribute that is not one number is ignored.
        values: the part of it that was read.
    """
    numbers = {key: _number(dataset, key) for key in (*NEUTRAL, *MISSING)}
    for key, neutral in NEUTRAL.items():
        if numbers[key] not in (None, neutral):
            found = f"{name} with {key} {numbers[key]:g}"
            raise DataError(path, found, "numbers stored as they are: unpack them, and remove the attribute")
    for key in MISSING:
        mark = None if numbers[key] is None or values.dtype.kind not in "iuf" else held(numbers[key], values.dtype)
        if mark is not None:
            count = np.count_nonzero(np.isnan(values) if np.isnan(mark) else values == mark)
            if count:
                raise DataError(path, f"{name} with {key} ({mark:g}) in {count} entries", "measurements alone")


def _number(dataset: h5py.Dataset, key: str) -> np.generic | None:
    """Return an attribute that is one number, in its own type; None if there is none."""
    try:
        value = np.asarray(dataset.attrs.get(key, ""))
    except Exception:  # h5py raises many types for attributes that NumPy lacks
        return None
    return value.ravel()[0] if value.size == 1 and value.dtype.kind in "iuf" else None
