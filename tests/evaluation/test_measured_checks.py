"""What of a measured hyperspectral image and a camera image does not fit each other or the weights: refused or told."""

from unittest import mock

import cv2
import numpy as np
import pytest
import tifffile
from measured_files import envi
from measured_scenes import BANDS, RATIO, SRF, measured_folder, run, scene
from tiny_scenes import write

import test_dcinn_hmf
from utils.evaluation.measured_cube import Stored, measured_scene
from utils.evaluation.response_check import channel_order


@pytest.fixture
def folder(tmp_path):
    return measured_folder(tmp_path)


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


def test_pixels_measured_in_part_are_not_compared(folder):
    _, msi = scene()
    msi[:, ::RATIO, ::RATIO] = 65535  # one of the guide's pixels in each of the cube's
    write(folder / "dotted.tif", msi, nodata="65535")
    _, _, notes = run(folder, msi="dotted.tif")
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
