"""HDF5 numbers with attributes of the CF conventions: packed and missing ones are refused, plain ones are read."""

import h5py
import numpy as np
import pytest

from data import DataError, Harvard
from data.files.array_file import ArrayFile

NUMBERS = np.arange(12, dtype=np.uint16).reshape(3, 4)


def written(path, numbers=NUMBERS, **attributes):
    with h5py.File(path, "w") as file:
        file["ms"] = numbers
        file["ms"].attrs.update(attributes)
    return path


@pytest.mark.parametrize(
    ("numbers", "attributes", "said"),
    {
        "a scale": (NUMBERS, {"scale_factor": 0.01}, "ms with scale_factor 0.01"),
        "a scale as an array": (NUMBERS, {"scale_factor": np.array([2.0])}, "ms with scale_factor 2"),
        "an offset": (NUMBERS, {"add_offset": np.float32(273.0)}, "ms with add_offset 273"),
        "a fill value": (NUMBERS, {"_FillValue": np.uint16(7)}, "ms with _FillValue (7) in 1 entries"),
        "a scale of every band": (NUMBERS, {"scale_factor": [1.0, 0.2, 0.3]}, "ms with scale_factor 0.2"),
        "a scale as text": (NUMBERS, {"scale_factor": "0.1"}, "ms with scale_factor 0.1"),
        "several missing values": (NUMBERS, {"missing_value": [-9999, 8]}, "ms with missing_value (8) in 1 entries"),
        "signed for unsigned": (NUMBERS.astype(np.int8), {"_Unsigned": "true"}, "ms with _Unsigned, int8"),
        "a fill value of NaN": (np.float32([[np.nan, 1, np.nan]]), {"missing_value": np.nan}, "(nan) in 2 entries"),
    }.values(),
)
def test_packed_and_missing_numbers_are_refused(tmp_path, numbers, attributes, said):
    with pytest.raises(DataError) as refusal:
        ArrayFile(written(tmp_path / "a.h5", numbers, **attributes)).read("ms")
    assert said in str(refusal.value)
    assert "a.h5" in str(refusal.value)


@pytest.mark.parametrize(
    "attributes",
    [
        {"scale_factor": 1.0, "add_offset": 0},
        {"_FillValue": np.uint16(65535)},
        {"_FillValue": np.int32(-9999), "missing_value": np.nan},  # no unsigned number is one of these
        {"scale_factor": "by hand", "_FillValue": np.full((2, 2), 99), "_Unsigned": "true"},
    ],
)
def test_plain_numbers_are_read(tmp_path, attributes):
    assert np.array_equal(ArrayFile(written(tmp_path / "a.h5", **attributes)).read("ms"), NUMBERS)


def test_only_the_entries_that_are_read_count(tmp_path):
    file = ArrayFile(written(tmp_path / "a.h5", _FillValue=np.uint16(0)))
    assert np.array_equal(file.read("ms", 1), NUMBERS[1])
    with pytest.raises(DataError, match=r"ms\[0\] with _FillValue"):
        file.read("ms", 0)


def test_matlab_files_with_reversed_axes_are_checked(tmp_path):
    with h5py.File(tmp_path / "scene.mat", "w") as file:
        file["ref"] = np.full((31, 16, 16), 0.5)
        file["ref"].attrs.update(MATLAB_class=np.bytes_("double"), scale_factor=0.1)
    with pytest.raises(DataError, match="scale_factor"):
        Harvard(tmp_path)[0]
