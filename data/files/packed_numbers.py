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
        dataset: the dataset; attributes that are not numbers are ignored.
        values: the part of it that was read.
    """
    for key, neutral in NEUTRAL.items():
        other = [value for value in _numbers(dataset, key) if value != neutral]
        if other:
            found = f"{name} with {key} {other[0]:g}"
            raise DataError(path, found, "numbers stored as they are: unpack them, and remove the attribute")
    if values.dtype.kind == "i" and str(dataset.attrs.get("_Unsigned", b"")).strip("b'\"").lower() == "true":
        raise DataError(path, f"{name} with _Unsigned, {values.dtype} for unsigned integers", "an unsigned type")
    for key in MISSING:
        for number in _numbers(dataset, key) if values.dtype.kind in "iuf" else ():
            mark = held(number, values.dtype)
            count = 0 if mark is None else np.count_nonzero(np.isnan(values) if np.isnan(mark) else values == mark)
            if count:
                raise DataError(path, f"{name} with {key} ({mark:g}) in {count} entries", "measurements alone")


def _numbers(dataset: h5py.Dataset, key: str) -> list[np.number | float]:
    """Return the numbers of an attribute, in its own type; of text the number that it spells, if any."""
    try:
        value = np.asarray(dataset.attrs.get(key, ""))
        return list(value.ravel()) if value.dtype.kind in "iuf" else [float(value.item())]
    except Exception:  # no attribute, no number; h5py raises many types for attributes that NumPy lacks
        return []
