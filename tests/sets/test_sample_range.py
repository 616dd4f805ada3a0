"""What unit floats are in is decided by most of them, not by one."""

import h5py
import numpy as np
import pytest

from data import DataError, PanCollection
from data.files.image_file import to_unit
from data.files.sample_range import are_digital_numbers, bulk

HALF = np.full((40, 50), 0.5, np.float32)


def with_one(value):
    image = HALF.copy()
    image[3, 4] = value
    return image


def test_the_bulk():
    assert bulk(np.arange(1000)) == 990
    assert bulk(with_one(9)) == 0.5
    assert bulk(np.ones(1)) == 1


@pytest.mark.parametrize(("image", "digital"), [(HALF, False), (HALF * 200, True), (with_one(1.04), False)])
def test_what_is_clear(image, digital):
    assert are_digital_numbers(image, "x", "y", slack=0.05) == digital


def test_a_single_value_over_one_is_refused_with_a_declared_depth():
    assert to_unit(HALF, "x", bits=12)[0].max() == 0.5
    with pytest.raises(DataError, match=r"x: found floats up to 1\.003, 99% of them at most 1, expected 0 to 1, or"):
        to_unit(with_one(1.003), "x", bits=12)
    assert to_unit(HALF * 4000, "x", bits=12)[0].max() == pytest.approx(2000 / 4095)


def test_one_pixel_does_not_pass_a_scaled_scene_for_digital_numbers(tmp_path):
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["ms"], file["pan"] = np.full((1, 4, 10, 10), 0.4, np.float32), with_one(5)[None, None, :40, :40]
    with pytest.raises(DataError, match="already scaled"):
        PanCollection(tmp_path / "s.h5", bits=11)[0]
