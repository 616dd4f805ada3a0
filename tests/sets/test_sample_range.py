"""What unit floats are in is decided by most of them, not by one."""

import h5py
import numpy as np
import pytest

from data import DataError, PanCollection
from data.files.image_file import to_unit
from data.files.sample_range import are_digital_numbers, typical

HALF = np.full((40, 50), 0.5, np.float32)


def with_one(value):
    image = HALF.copy()
    image[3, 4] = value
    return image


def test_what_is_typical():
    assert typical(np.arange(1000)) == 500
    assert typical(with_one(9)) == 0.5
    assert typical(np.zeros(4)) == 0
    tenth = HALF.copy()
    tenth[:4] = 1.3
    with pytest.raises(DataError, match="most of them at most 1"):
        are_digital_numbers(tenth, "x", "y")


@pytest.mark.parametrize(("image", "digital"), [(HALF, False), (HALF * 200, True), (with_one(1.04), False)])
def test_what_is_clear(image, digital):
    assert are_digital_numbers(image, "x", "y", slack=0.05) == digital


def test_a_single_value_over_one_is_refused_with_a_declared_depth():
    assert to_unit(HALF, "x", bits=12)[0].max() == 0.5
    with pytest.raises(DataError, match=r"x: found floats up to 1\.003, most of them at most 1, expected 0 to 1, or"):
        to_unit(with_one(1.003), "x", bits=12)
    assert to_unit(HALF * 4000, "x", bits=12)[0].max() == pytest.approx(2000 / 4095)


def test_one_pixel_does_not_pass_a_scaled_scene_for_digital_numbers(tmp_path):
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["ms"], file["pan"] = np.full((1, 4, 10, 10), 0.4, np.float32), with_one(5)[None, None, :40, :40]
    with pytest.raises(DataError, match="already scaled"):
        PanCollection(tmp_path / "s.h5", bits=11)[0]


def test_zeros_decide_nothing():
    sparse = np.zeros((100, 100), np.float32)
    sparse[0, :40] = np.linspace(200.5, 900.25, 40)
    assert are_digital_numbers(sparse, "x", "y")
    np.testing.assert_allclose(to_unit(sparse, "x", bits=10)[0], sparse / 1023, atol=1e-7)
    sparse[0, :40] = 0.5
    sparse[0, 0] = 1.003
    with pytest.raises(DataError, match="most of them at most 1"):
        are_digital_numbers(sparse, "x", "y")


def test_sparse_digital_numbers_of_a_scene(tmp_path):
    sparse = np.zeros((1, 4, 20, 20), np.float32)
    sparse[..., 3, 4] = 300
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["ms"], file["pan"] = sparse, np.full((1, 1, 80, 80), 300.0, np.float32)
    assert PanCollection(tmp_path / "s.h5", bits=11)[0]["ms"].max() == pytest.approx(300 / 2047)


def test_messages_have_the_digits_that_matter():
    image = with_one(np.nextafter(np.float32(1), np.float32(2)))
    with pytest.raises(DataError, match=r"found floats from 0\.5 to 1\.0000001, expected 0 to 1"):
        to_unit(image, "x")
    with pytest.raises(DataError, match=r"found values from 3 to 300, expected 0 to 255"):
        to_unit(np.array([[3, 300]], np.uint16), "x", bits=8)
