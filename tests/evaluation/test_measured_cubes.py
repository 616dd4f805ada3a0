"""A measured hyperspectral image and a camera image of the scene: from disk to disk, in every format and unit."""

import cv2
import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
from measured_files import envi
from measured_scenes import BANDS, RATIO, expected, measured_folder, run, scene
from tiny_scenes import write

import test_dcinn_hmf
from data import DataError
from data.files.scene_image import open_image
from data.simulate import imresize
from utils.evaluation.scene_kinds import HYPERSPECTRAL
from utils.evaluation.scene_pair import ScenePair


@pytest.fixture
def folder(tmp_path):
    return measured_folder(tmp_path)


def test_windows_upsample_as_the_whole(folder):
    pair = ScenePair(open_image(folder / "hsi.tif"), open_image(folder / "msi.tif"), 4095, None, HYPERSPECTRAL, 65535)
    hsi, msi = scene()
    whole = np.moveaxis(imresize(np.moveaxis(hsi / 4095, 0, -1), RATIO, "bilinear"), -1, 0)
    for rows, columns in (((0, 72), (0, 60)), ((0, 5), (7, 60)), ((31, 72), (0, 1)), ((40, 41), (22, 23))):
        up, guide = pair.read(rows, columns)
        window = (slice(None), slice(*rows), slice(*columns))
        assert np.allclose(up[0], whole[window], atol=1e-6)
        assert np.allclose(guide[0], (msi / 65535)[window], atol=1e-6)


def test_a_scene_from_disk_to_disk(folder):
    found, _, notes = run(folder)
    assert found.dtype == np.uint16
    assert np.abs(found - expected(folder).clip(0, 4504)).max() <= 0.51
    assert notes == []
    assert sorted(path.name for path in (folder / "o").iterdir()) == ["fused.tif", "fused_rgb.png"]
    tiled, _, _ = run(folder, "--tile", 32, "--pooling", "tile", output="tiled")
    assert np.abs(tiled - expected(folder, tile=32).clip(0, 4504)).max() <= 0.51


@pytest.mark.parametrize("kind", ["bsq", "bil", "bip", "big", "data", "float", "npy", "mat", "h5"])
def test_formats_of_the_hyperspectral_image(kind, folder):
    before, _, _ = run(folder)
    hsi, _ = scene()
    name, more = "other.hdr", []
    if kind in ("bsq", "bil", "bip"):
        envi(folder / name, hsi, kind)
    elif kind == "big":
        envi(folder / name, hsi.astype(np.int16), "bil", order=1)
    elif kind == "data":
        envi(folder / name, hsi)
        name = "other"
    elif kind == "float":
        envi(folder / name, (hsi / 4095).astype(np.float32), "bip")
        more = ["--bits", 1]
    elif kind == "npy":
        np.save(folder / (name := "other.npy"), hsi.transpose(1, 2, 0))
    elif kind == "mat":
        scipy.io.savemat(folder / (name := "other.mat"), {"cube": hsi.transpose(1, 2, 0)})
    else:
        with h5py.File(folder / (name := "other.h5"), "w") as file:
            file["cube"] = hsi
    found, _, _ = run(folder, *more, hsi=name, output="other_o")
    scale = 4095 if kind == "float" else 1
    assert found.dtype.isnative
    assert np.abs(found * scale - before.astype(float)).max() <= (0.51 if kind == "float" else 0)


def test_a_photograph_is_red_green_blue_and_the_response_blue_green_red(folder):
    before, _, _ = run(folder)
    _, msi = scene()
    cv2.imwrite(str(folder / "msi.png"), np.moveaxis(msi, 0, -1))  # OpenCV takes blue, green, red
    found, _, notes = run(folder, msi="msi.png", output="photo")
    assert np.array_equal(found, before)
    assert notes == ["The MSI's red, green and blue are taken in the response's order: blue, green, red."]


def test_the_number_for_one(folder):
    before, _, _ = run(folder)
    hsi, _ = scene()
    ten_thousandths = np.rint(hsi / 4095 * 10000).astype(np.int16)
    write(folder / "reflectance.tif", ten_thousandths)
    words = ["--hsi", folder / "reflectance.tif", "--msi", folder / "msi.tif", "--weights", folder / "w.pth"]
    notes = test_dcinn_hmf.main([*map(str, words), "--hsi-one", "10000", "--output", str(folder / "one")])["notes"]
    assert notes == []
    found = np.moveaxis(tifffile.imread(folder / "one/fused.tif"), -1, 0)
    assert found.dtype == np.int16
    assert np.abs(found / 10000 * 4095 - before).max() < 2
    envi(folder / "factor.hdr", ten_thousandths, reflectance_scale_factor=10000)
    words[1] = folder / "factor.hdr"
    notes = test_dcinn_hmf.main([*map(str, words), "--output", str(folder / "f")])["notes"]
    assert notes == ["factor.hdr: 10000 stands for 1, as its header says."]
    assert np.array_equal(np.moveaxis(tifffile.imread(folder / "f/fused.tif"), -1, 0), found)


def test_small_negative_reflectance_stays(folder):
    hsi, msi = scene()
    envi(folder / "low.hdr", hsi.astype(np.int16) - 600)
    shifted = (msi / 65535 - 600 / 4095).astype(np.float32)
    write(folder / "low.tif", shifted)
    found, _, _ = run(folder, hsi="low.hdr", msi="low.tif", output="l")
    assert found.dtype == np.int16
    assert -409 <= found.min() < -50
    envi(folder / "low.hdr", hsi.astype(np.int16) - 1200)
    with pytest.raises(SystemExit):
        run(folder, hsi="low.hdr", msi="low.tif", output="lower")


def test_bands_from_long_to_short_wavelengths_are_turned_around(folder):
    before, _, _ = run(folder)
    hsi, _ = scene()
    words = "{" + ", ".join(f"{0.7 - 0.05 * band:.2f}" for band in range(BANDS)) + "}"
    envi(folder / "long.hdr", hsi[::-1], wavelength=words, wavelength_units="Micrometers")
    found, _, notes = run(folder, hsi="long.hdr", output="l")
    assert np.array_equal(found, before)
    assert notes == ["long.hdr has its bands from long to short wavelengths: turned around."]


def test_integers_of_64_bits_are_written(folder):
    hsi, _ = scene()
    write(folder / "hsi.tif", hsi.astype(np.uint64))
    assert run(folder)[0].dtype == np.uint64


def test_arrays_of_files_with_more_than_the_cube(folder):
    before, _, _ = run(folder)
    hsi, _ = scene()
    scipy.io.savemat(folder / "a.mat", {"HSI": hsi.transpose(1, 2, 0), "wavelength": np.arange(6.0)})
    assert np.array_equal(run(folder, hsi="a.mat", output="a")[0], before)
    with h5py.File(folder / "n.h5", "w") as file:
        file["cube"] = np.where(np.arange(20) < 2, np.nan, hsi / 4095).astype(np.float32)
    found, _, _ = run(folder, "--bits", 1, "--nodata", "nan", hsi="n.h5", output="n")
    assert np.isnan(found[:, :, :6]).all()
    assert np.isfinite(found[:, :, 6:]).all()
    scipy.io.savemat(folder / "a.mat", {"HSI": hsi, "gt": hsi})
    with pytest.raises(DataError, match="found the images HSI, gt, expected one of them alone"):
        open_image(folder / "a.mat")
