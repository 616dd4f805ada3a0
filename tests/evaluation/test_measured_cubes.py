"""A measured hyperspectral image and a camera image of the scene: from disk to disk, in every format, refused, told."""

from unittest import mock

import cv2
import h5py
import numpy as np
import pytest
import scipy.io
import scipy.ndimage
import tifffile
import torch
from tiny_scenes import geo, write

import test_dcinn_hmf
from data import DataError
from data.files.georeference import finer_tags, georeference
from data.files.scene_image import open_image
from data.simulate import imresize
from models import dcinn_hmf, load_pretrained, save_checkpoint
from utils.evaluation.measured_cube import Stored, measured_scene
from utils.evaluation.response_check import channel_order
from utils.evaluation.scene_kinds import HYPERSPECTRAL
from utils.evaluation.scene_pair import ScenePair
from utils.tiling import fuse

RATIO, BANDS = 3, 6
SRF = np.array([[5, 1, 0], [3, 2, 0], [2, 4, 1], [1, 4, 2], [0, 2, 4], [0, 1, 5]], float)
SRF /= SRF.sum(axis=0)


def scene(height=24, width=20):
    """HSI (6, h, w) and MSI (3, 3h, 3w) of one smooth ground, in [0, 1], in 12 and 16 bits."""
    rng = np.random.default_rng(0)
    cube = scipy.ndimage.gaussian_filter(rng.random((BANDS, height * RATIO, width * RATIO)), (0, 4, 4), mode="wrap")
    cube = 0.1 + 0.8 * (cube - cube.min()) / np.ptp(cube)
    low = cube.reshape(BANDS, height, RATIO, width, RATIO).mean((2, 4))
    return np.rint(low * 4095).astype(np.uint16), np.rint(np.tensordot(SRF.T, cube, 1) * 65535).astype(np.uint16)


@pytest.fixture
def folder(tmp_path):
    """A folder with hsi.tif, msi.tif, and w.pth, a small network that is not trained."""
    hsi, msi = scene()
    write(tmp_path / "hsi.tif", hsi)
    write(tmp_path / "msi.tif", msi)
    torch.manual_seed(0)
    model = dcinn_hmf(BANDS, srf=SRF, low_blocks=1).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("conv_out.weight"):
                parameter.normal_().mul_(0.004)
    save_checkpoint(tmp_path / "w.pth", model)
    return tmp_path


def run(folder, *more, hsi="hsi.tif", msi="msi.tif", output="o"):
    """Fuse; returns the fused samples (B, H, W), the TIFF's tags, and the remarks."""
    files = {"--hsi": folder / hsi, "--msi": folder / msi, "--weights": folder / "w.pth", "--output": folder / output}
    words = [str(part) for item in files.items() for part in item]
    notes = test_dcinn_hmf.main([*words, "--bits", "12", *map(str, more)])["notes"]
    with tifffile.TiffFile(folder / output / "fused.tif") as tiff:
        tags = {tag.code: tag.value for tag in tiff.pages[0].tags}
        return np.moveaxis(tiff.asarray(), -1, 0), tags, notes


def expected(folder, tile=0):
    """The fused samples as computed in memory."""
    hsi, msi = scene()
    up = imresize(np.moveaxis(hsi / 4095, 0, -1), RATIO, "bilinear")
    a = torch.from_numpy(up).permute(2, 0, 1)[None].float()
    fused = fuse(load_pretrained(folder / "w.pth"), a, torch.from_numpy(msi / 65535)[None].float(), tile=tile)
    return fused[0].numpy() * 4095


def envi(path, hsi, interleave="bsq", order=0, **fields):
    """An ENVI raster, its header at `path` and its samples beside it without a suffix."""
    axes = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}[interleave]
    codes = {"u1": 1, "i2": 2, "f4": 4, "f8": 5, "u2": 12}
    kind = hsi.dtype.str[1:]
    path.with_suffix("").write_bytes(b"\0" * 16 + hsi.transpose(axes).astype("<>"[order] + kind).tobytes())
    bands, lines, samples = hsi.shape
    known = {"samples": samples, "lines": lines, "bands": bands, "header offset": 16, "data type": codes[kind]}
    known |= {"interleave": interleave, "byte order": order, "band names": "{\n one,\n two }"}
    known |= {name.replace("_", " "): value for name, value in fields.items()}
    text = "".join(f"{name} = {value}\n" for name, value in known.items() if value is not None)
    path.write_text(f"ENVI\ndescription = {{\n of a = test }}\n{text}")


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


def test_the_place_of_the_camera_image_or_else_a_finer_one_of_the_cube(folder):
    rasterio = pytest.importorskip("rasterio")
    hsi, msi = scene()
    bounds = {}
    for point in (False, True):
        write(folder / "hsi.tif", hsi, geo(pixel=30.0, point=point))
        run(folder, output=f"cube{point}")
        with rasterio.open(folder / "hsi.tif") as coarse, rasterio.open(folder / f"cube{point}/fused.tif") as fine:
            bounds[point] = fine.bounds
            assert tuple(fine.bounds) == pytest.approx(tuple(coarse.bounds))
            assert fine.res == (10.0, 10.0)
            assert fine.crs == coarse.crs
    assert bounds[False] != bounds[True]
    write(folder / "hsi.tif", hsi, geo(pixel=30.0))
    write(folder / "msi.tif", msi[:, 6:], geo((5e5, 4.1e6 - 60), pixel=10.0))
    found, _, notes = run(folder, output="both")
    assert found.shape[1:] == (66, 60)
    assert "HSI and MSI differ in extent: fused their common ground" in notes[0]
    envi(folder / "place.hdr", hsi, map_info="{UTM, 1, 1, 500000, 4100000, 30, 30, 33, North, WGS-84, units=Meters}")
    write(folder / "msi.tif", msi)
    run(folder, hsi="place.hdr", output="envi")
    with rasterio.open(folder / "envi/fused.tif") as fine:
        assert tuple(fine.bounds) == pytest.approx(tuple(bounds[False]))
        assert fine.crs.to_epsg() == 32633


def test_a_matrix_is_made_finer():
    matrix = (20, 3, 0, 5e5, 2, -20, 0, 4e6, 0, 0, 0, 0, 0, 0, 0, 1)
    for point in (False, True):
        tags = geo(matrix=matrix, point=point)
        coarse, fine = georeference(tags, "x.tif").grid, georeference(finer_tags(tags, 4, "x.tif"), "x.tif").grid
        assert np.allclose(fine @ [4 * 7, 4 * 5, 1], coarse @ [7, 5, 1])
        assert np.allclose(fine[:, :2] * 4, coarse[:, :2])


def test_nodata_of_either_image_stays(folder):
    hsi, msi = scene()
    hsi[:, 3, 4] = 0
    envi(folder / "hsi.hdr", hsi, data_ignore_value=0)
    write(folder / "msi.tif", np.where(np.arange(60) < 2, 65535, msi).astype(np.uint16), nodata="65535")
    found, tags, notes = run(folder, hsi="hsi.hdr")
    missing = np.zeros((72, 60), bool)
    missing[9:12, 12:15], missing[:, :2] = True, True
    assert np.array_equal((found == 0).all(axis=0), missing)
    assert not (found == 0)[:, ~missing].any()
    assert tags[42113] == "0"
    assert "NoData in" in notes[-1]


REFUSED = {
    "alone": ({"msi": None}, [], "found --hsi alone, expected both and no --data"),
    "kind": ({"msi": "a.webp"}, [], "expected .tif, .npy, .mat, .h5, .png, .jpg or ENVI"),
    "turned": ({"msi": "turned"}, [], "orientation 6, pixels to be turned"),
    "scenes": ({}, ["--scenes", "x"], "--scenes: found beside --hsi and --msi"),
    "ratio": ({}, ["--ratio", "4"], "--ratio: found beside --hsi and --msi"),
    "swapped": ({"hsi": "msi.tif", "msi": "hsi.tif"}, [], "are the two swapped?"),
    "bands": ({"hsi": "five"}, [], "found 5 bands, expected 6 of the weights"),
    "sides": (
        {"msi": "cut"},
        [],
        "beside an HSI of 24x20, expected a whole number, 2 to 32, times its sides",
    ),
    "order": ({"msi": "reversed"}, [], "3 channels in another order"),
    "depth": ({"msi": "dark"}, [], "or number for 1 (--msi-one); --msi-bits 16 if it is that"),
    "signed": ({"msi": "signed"}, [], "samples of type int16, expected a declared bit depth (--msi-bits)"),
    "both": ({}, ["--hsi-one", "9"], "--hsi-one: found beside --bits, expected one of them"),
    "over": ({}, ["--bits", "10"], "expected 0 to 1023 (--bits)"),
    "over, MSI": ({}, ["--msi-bits", "10"], "expected 0 to 1023 (--msi-bits)"),
    "alpha": ({"msi": "alpha.png"}, [], "an alpha channel"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused(case, folder, capsys):
    files, more, message = REFUSED[case]
    hsi, msi = scene()
    made = {
        "a.webp": lambda path: path.write_bytes(b"RIFF"),
        "turned": lambda path: write(path, msi, [(274, 3, 1, 6, True)]),
        "five": lambda path: write(path, hsi[:5]),
        "cut": lambda path: write(path, msi[:, :, :59]),
        "reversed": lambda path: write(path, msi[::-1]),
        "dark": lambda path: write(path, msi // 8),
        "signed": lambda path: write(path, (msi // 8).astype(np.int16)),
        "alpha.png": lambda path: cv2.imwrite(str(path), np.moveaxis(msi[[0, 1, 2, 0]], 0, -1)),
    }
    words = []
    for option, name in {"hsi": "hsi.tif", "msi": "msi.tif", **files}.items():
        path = folder / (name or "") if name is None or "." in name else folder / f"{name}.tif"
        if name in made:
            made[name](path)
        words += [f"--{option}", str(path)] if name else []
    words += ["--weights", str(folder / "w.pth"), "--output", str(folder / "o")]
    words += [] if "--bits" in more else ["--bits", "12"]
    with pytest.raises(SystemExit) as stop:
        test_dcinn_hmf.main([*words, *more])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err.strip().splitlines()[-1]
    assert not (folder / "o").exists()


def test_options_of_a_measured_scene_alone_are_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for option in (["--nodata", "0"], ["--cog"], ["--msi-bits", "8"]):
        with pytest.raises(SystemExit) as stop:
            test_dcinn_hmf.main(option)
        assert stop.value.code == 2
        assert "found without --hsi and --msi" in capsys.readouterr().err


def test_another_unit_and_another_ground_are_told(folder):
    _, msi = scene()
    write(folder / "half.tif", msi // 2)
    _, _, notes = run(folder, "--msi-bits", 16, msi="half.tif", output="half")
    assert notes[0].startswith("The MSI is 0.5, 0.5, 0.5 times as bright (by channel) as the response makes it")
    write(folder / "moved.tif", np.roll(msi, (0, 24, 20), (0, 1, 2)))
    _, _, notes = run(folder, msi="moved.tif", output="moved")
    assert len(notes) == 3
    assert all("correlates by" in note and "not registered" in note for note in notes)


def test_a_photograph_with_a_tone_curve_is_told_and_made_linear(folder):
    before, _, _ = run(folder)
    _, msi = scene()
    x = msi / 65535
    curved = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
    cv2.imwrite(str(folder / "curved.png"), np.moveaxis(np.rint(curved * 65535).astype(np.uint16), 0, -1))
    found, _, notes = run(folder, "--msi-bits", 16, msi="curved.png", output="curved")
    assert any("tone curve like sRGB's" in note and "--msi-srgb" in note for note in notes)
    assert np.abs(found.astype(int) - before).max() > 100
    found, _, notes = run(folder, "--msi-srgb", "--msi-bits", 16, msi="curved.png", output="linear")
    assert np.abs(found.astype(int) - before).max() <= 1
    assert not any("tone curve" in note for note in notes)
    write(folder / "curved.tif", np.where(np.arange(60) < 2, 65535, curved * 65000).astype(np.uint16), nodata="65535")
    found, _, _ = run(folder, "--msi-srgb", "--msi-one", 65000, msi="curved.tif", output="masked")
    assert (found[:, :, :2] == 65535).all()
    assert (found[:, :, 2:] != 65535).all()


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


def test_bands_of_other_wavelengths_than_those_of_our_weights_are_told(tmp_path):
    cube = np.full((31, 8, 8), 0.5, np.float32)
    np.save(tmp_path / "msi.npy", np.full((3, 32, 32), 0.5, np.float32))
    for first, wrong in ((400, False), (900, True)):
        words = "{" + ", ".join(str(first + 10 * band) for band in range(31)) + "}"
        envi(tmp_path / "hsi.hdr", cube, wavelength=words)
        options = ["--hsi", tmp_path / "hsi.hdr", "--msi", tmp_path / "msi.npy", "--output", tmp_path / str(first)]
        notes = test_dcinn_hmf.main([*map(str, options)])["notes"]
        assert any(note.startswith("The HSI's bands are 900 to 1200 nm") for note in notes) is wrong


def test_another_ratio_than_the_weights_is_told(tmp_path):
    np.save(tmp_path / "hsi.npy", np.full((31, 8, 8), 0.5, np.float32))
    np.save(tmp_path / "msi.npy", np.full((3, 40, 40), 0.5, np.float32))
    options = ["--hsi", tmp_path / "hsi.npy", "--msi", tmp_path / "msi.npy", "--output", tmp_path / "o"]
    notes = test_dcinn_hmf.main([*map(str, options)])["notes"]
    assert notes == ["These weights were trained at x4; train_dcinn_hmf.py --ratio 5 makes others."]


def test_a_middle_without_measurement_is_not_compared(folder):
    hsi, msi = scene()
    hsi[:, 1:23, 1:19] = 9
    write(folder / "hsi.tif", hsi, nodata="9")
    write(folder / "half.tif", msi // 4)
    _, _, notes = run(folder, "--msi-bits", 14, msi="half.tif")
    assert not any("times as bright" in note for note in notes), "14 bits are a quarter of 16"
    with mock.patch("utils.evaluation.response_check.SEEN", 45):
        _, _, notes = run(folder, msi="msi.tif", output="unseen")
    assert any("was not compared" in note for note in notes)


def test_the_middle_is_compared(folder):
    _, msi = scene()
    msi[:, :9], msi[:, -9:], msi[:, :, :9], msi[:, :, -9:] = (0,) * 4  # the middle 45x30 stays
    write(folder / "framed.tif", msi)
    with mock.patch("utils.evaluation.response_check.SEEN", 30):
        _, _, notes = run(folder, msi="framed.tif")
    assert not any("times as bright" in note or "correlates" in note for note in notes)


def test_default_weights_are_those_of_the_ratio(folder):
    with mock.patch("utils.evaluation.measured_cube.default_weights", return_value=str(folder / "w.pth")) as asked:
        words = ["--hsi", folder / "hsi.tif", "--msi", folder / "msi.tif", "--bits", "12", "--output", folder / "o"]
        with pytest.raises(SystemExit):  # a name alone is no file in pretrained/, so untrained ones of 31 bands
            test_dcinn_hmf.main([*map(str, words)])
    asked.assert_called_with(RATIO)


def test_far_from_measurements_the_fill_has_the_order_of_the_channels(folder):
    _, msi = scene(64, 64)
    hsi, _ = scene(64, 64)
    write(folder / "hsi.tif", hsi)
    msi[:, :, :150] = 0
    image = np.ascontiguousarray(np.moveaxis(msi[::-1], 0, -1))  # red, green, blue
    tifffile.imwrite(folder / "rgb.tif", image, photometric="rgb", metadata=None, extratags=[(42113, 2, 0, "0", True)])
    low, guide = Stored(folder / "hsi.tif", 12), Stored(folder / "rgb.tif")
    pair = measured_scene(low, guide, bands=(BANDS, 3))
    assert channel_order(pair, SRF)
    means = msi[:, :, 150:].mean((1, 2))
    assert pair.measured_guide.read((0, 2), (0, 2))[:, 0, 0] == pytest.approx(means, rel=1e-4)
    assert pair.measured_guide.read((0, 2), (180, 182))[:, 0, 0] == pytest.approx(msi[:, 0, 180])


def test_nodata_is_no_sample_of_a_depth(folder, capsys):
    hsi, _ = scene()
    hsi[:, :4] = 65535
    write(folder / "hsi.tif", hsi, nodata="65535")
    words = ["--hsi", folder / "hsi.tif", "--msi", folder / "msi.tif", "--weights", folder / "w.pth"]
    with pytest.raises(SystemExit):
        test_dcinn_hmf.main([*map(str, words), "--output", str(folder / "o")])
    assert "16-bit samples in a small part of their range" in capsys.readouterr().err


def test_integers_of_64_bits_are_written(folder):
    hsi, _ = scene()
    write(folder / "hsi.tif", hsi.astype(np.uint64))
    assert run(folder)[0].dtype == np.uint64


def test_a_place_without_a_grid_in_the_guide_and_world_files_of_photographs(folder):
    rasterio = pytest.importorskip("rasterio")
    hsi, msi = scene()
    write(folder / "hsi.tif", hsi, geo(pixel=30.0))
    write(folder / "msi.tif", msi, geo()[2:])  # a CRS alone
    _, tags, _ = run(folder)
    assert (tags[33550][:2], tags[33922][3:5]) == ((10.0, 10.0), (5e5, 4.1e6))
    cv2.imwrite(str(folder / "photo.png"), np.moveaxis(msi[:, 6:], 0, -1))
    (folder / "photo.pgw").write_text("10\n0\n0\n-10\n500005\n4099935\n")
    found, _, _ = run(folder, msi="photo.png", output="world")
    assert found.shape[1:] == (66, 60)
    with rasterio.open(folder / "world/fused.tif") as file:
        assert tuple(file.bounds) == pytest.approx((5e5, 4.1e6 - 720, 5e5 + 600, 4.1e6 - 60))


@pytest.mark.parametrize(
    ("info", "epsg", "corner"),
    [
        ("{Geographic Lat/Lon, 1.5, 2.5, 13.0, 52.0, 0.003, 0.006, WGS-84, units=Degrees}", 4326, (12.9985, 52.009)),
        ("{UTM, 1, 1, 5e5, 4e6, 30, 60, 19, South, WGS84, units=Meters}", 32719, (5e5, 4e6)),
        ("{UTM, 1, 1, 5e5, 4e6, 30, 60, 19, South, WGS-84, units=Feet}", None, (5e5, 4e6)),
        ("{Arbitrary, 1, 1, 0, 0, 1, 1, 0, North}", None, None),
    ],
)
def test_places_in_headers(info, epsg, corner, folder):
    envi(folder / "hsi.hdr", scene()[0], map_info=info)
    image = open_image(folder / "hsi.hdr")
    place = georeference(image.tags, image.path)
    if corner is None:
        assert place is None
        return
    assert place.grid[:, 2] == pytest.approx(corner)
    assert (place.grid[0, 0], place.grid[1, 1]) == pytest.approx((0.003, -0.006) if epsg == 4326 else (30, -60))
    assert place.crs == (epsg and f"EPSG:{epsg}")


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


HEADERS = {
    "compressed": ({"file_compression": 1}, None, "compressed samples"),
    "a factor of 0": ({"reflectance_scale_factor": 0}, None, "reflectance scale factor = 0"),
    "a value of words": ({"data_ignore_value": "{}"}, None, "data ignore value = (none), expected a number"),
    "no header": ({}, "not one", "whose first line is ENVI"),
    "no bands": ({"bands": None}, None, "bands = (none), expected a number of 1 or more"),
    "complex": ({"data_type": 6}, None, "data type 6"),
    "short": ({"lines": 25}, None, "that hsi.hdr declares"),
    "a grid of words": ({"map_info": "{UTM, a, b, c, d, e, f}"}, None, "map info UTM, a, b"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_headers_that_cannot_be_read(case, folder, capsys):
    fields, text, message = HEADERS[case]
    envi(folder / "hsi.hdr", scene()[0], **fields)
    if text:
        (folder / "hsi.hdr").write_text(text)
    with pytest.raises(SystemExit):
        run(folder, hsi="hsi.hdr")
    assert message in capsys.readouterr().err


def test_fields_of_a_header_that_are_not_applied_are_told(folder):
    info = "{Some Local, 1, 1, 500000, 4100000, 30, 30, units=Meters}"
    more = {"data_gain_values": "{1, 2}", "wavelength": "{700, 400}"}
    envi(folder / "hsi.hdr", scene()[0], map_info=info, **more)
    _, tags, notes = run(folder, hsi="hsi.hdr")
    assert "hsi.hdr declares data gain values: fused as stored." in notes
    assert f"hsi.hdr: the CRS of '{info[1:-1]}' is not read, only the grid." in notes
    assert "hsi.hdr: its wavelengths are not 6 numbers, one per band: not used." in notes
    assert tags[33550][:2] == (10.0, 10.0)
    envi(folder / "hsi.hdr", scene()[0], map_info=info.replace("units", "rotation=15, units"))
    _, tags, notes = run(folder, hsi="hsi.hdr", output="turned")
    assert "hsi.hdr: a turned grid, whose georeference is left out." in notes
    assert 33550 not in tags
    (folder / "hsi").unlink()
    with pytest.raises(SystemExit):
        run(folder, hsi="hsi.hdr")
