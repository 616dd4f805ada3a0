"""Which axis are the bands: told where the shape tells it, by the format in doubt, and else not guessed."""

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile

from data import DataError
from data.files.band_axis import band_axis
from data.files.band_images import Cubes
from data.files.raster_windows import Windows

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("shape", "axis"), [((31, 64, 80), 0), ((64, 80, 31), 2), ((4, 9, 8), 0), ((100, 200, 4), 2), ((50, 100, 120), 0)]
)
def test_what_the_shape_tells(shape, axis):
    assert band_axis(shape, "x") == axis


@pytest.mark.parametrize("shape", [(128, 128, 128), (128, 128, 200), (60, 100, 100), (2, 100, 2)])
def test_what_it_leaves_open(shape):
    with pytest.raises(DataError, match=r"x: found an array of shape .* expected --axes bhw or --axes hwb"):
        band_axis(shape, "x")
    assert [band_axis(shape, "x", declared) for declared in ("bhw", "hwb")] == [0, 2]
    assert band_axis(shape, "x", usual=2) == 2


def test_the_bands_that_such_data_have():
    assert band_axis((32, 48, 31), "x", likely=31) == 2
    assert band_axis((31, 48, 32), "x", usual=2, likely=31) == 0
    with pytest.raises(DataError, match="--axes"):
        band_axis((31, 48, 31), "x", likely=31)


def test_cubes_of_equal_sides(tmp_path):
    cube = RNG.random((12, 12, 12))
    np.save(tmp_path / "a.npy", cube)
    scipy.io.savemat(tmp_path / "b.mat", {"gt": cube})
    with h5py.File(tmp_path / "c.h5", "w") as file:
        file["gt"] = cube[None]
    shape = (12, 12, 12)
    with pytest.raises(DataError, match="--axes"):
        Cubes(tmp_path / "a.npy").read(0, shape)
    assert (Cubes(tmp_path / "a.npy", "bhw").read(0, shape) == cube).all()
    assert (Cubes(tmp_path / "a.npy", "hwb").read(0, shape) == np.moveaxis(cube, -1, 0)).all()
    assert (Cubes(tmp_path / "b.mat").read(0, shape) == np.moveaxis(cube, -1, 0)).all(), "MATLAB has (H, W, B)"
    assert (Cubes(tmp_path / "c.h5").read(0, shape) == cube).all(), "a stack in HDF5 is (N, B, H, W)"


def test_more_bands_than_pixels(tmp_path):
    cube = RNG.random((16, 16, 25))  # 25 bands
    np.save(tmp_path / "a.npy", cube)
    scipy.io.savemat(tmp_path / "b.mat", {"gt": cube})
    with pytest.raises(DataError, match="--axes"):
        Cubes(tmp_path / "a.npy").shape(0)
    assert Cubes(tmp_path / "a.npy", "hwb").shape(0) == Cubes(tmp_path / "b.mat").shape(0) == (25, 16, 16)
    assert Cubes(tmp_path / "a.npy").read(0, (25, 16, 16)).shape == (25, 16, 16), "the shape asked for tells it"


def test_tiffs_name_their_axes(tmp_path):
    image = RNG.integers(0, 99, (16, 16, 20)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="minisblack", planarconfig="contig")
    assert Cubes(tmp_path / "a.tif").shape(0) == (20, 16, 16)


def test_windows_of_an_array_that_leaves_it_open(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((40, 40, 40), np.uint16))
    with pytest.raises(DataError, match="first or the last axis"):
        Windows(tmp_path / "a.npy")
