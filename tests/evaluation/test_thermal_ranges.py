"""Infrared images in counts, Kelvin or degrees: stretched on request, and never lost or scored in silence."""

import cv2
import numpy as np
import pytest
import tifffile

import test_dcinn_ivf_tno
import train_dcinn_ivf_tno
from data import DataError, PairedImages
from utils.commandline.errors import single_line_errors
from utils.evaluation.score import run

SIDE = 48
RNG = np.random.default_rng(3)
SCENE = cv2.GaussianBlur(RNG.random((SIDE, SIDE)), (0, 0), 3)
SCENE = (SCENE - SCENE.min()) / (SCENE.max() - SCENE.min())
VISIBLE = np.rint(255 * RNG.random((SIDE, SIDE))).astype(np.uint8)
KINDS = {
    "14 bits of 16": np.rint(2800 + 1800 * SCENE).astype(np.uint16),
    "the middle of 16": np.rint(20000 + 10000 * SCENE).astype(np.uint16),
    "signed": np.rint(-400 + 900 * SCENE).astype(np.int16),
    "Kelvin": (280 + 30 * SCENE).astype(np.float32),
    "degrees": (-10 + 50 * SCENE).astype(np.float32),
}


@pytest.fixture
def folder(tmp_path):
    for name, image in (("vi", VISIBLE), ("ir", KINDS["14 bits of 16"])):
        (tmp_path / name).mkdir()
        tifffile.imwrite(tmp_path / name / "a.tif", image)
    return tmp_path


def replaced(folder, image, kind="ir"):
    tifffile.imwrite(folder / kind / "a.tif", image)
    return folder


def fused(folder, *options):
    options = ("--data", folder, "--output", folder / "out", "--weights", "untrained", *options)
    return test_dcinn_ivf_tno.main([*map(str, options)])


def remarks(result):
    return " ".join(result["tables"][0]["remarks"])


@pytest.mark.parametrize("kind", KINDS)
def test_stretched_by_percentiles(folder, kind):
    image = KINDS[kind]
    pair = PairedImages(replaced(folder, image), infrared_range="stretch")[0]
    low, high = np.percentile(image, (0.5, 99.5))
    np.testing.assert_allclose(pair["infrared"][0], ((image - low) / (high - low)).clip(0, 1), atol=1e-6)
    assert "infrared: stretched, the 0.5th to 99.5th percentile of each image became 0 to 1" in pair["notes"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_stated_range(folder, kind):
    image = KINDS[kind]
    low, high = float(image.min()), float(image.max()) + 5
    pair = PairedImages(replaced(folder, image), infrared_range=(low, high))[0]
    np.testing.assert_allclose(pair["infrared"][0], (image - low) / (high - low), atol=1e-6)
    assert f"infrared: {low:g} to {high:g} became 0 to 1" in pair["notes"]


def test_outside_of_the_stated_range_it_is_cut_and_said(folder):
    pair = PairedImages(replaced(folder, KINDS["Kelvin"]), infrared_range=(290, 300))[0]
    assert pair["infrared"].min() == 0
    assert pair["infrared"].max() == 1
    assert any(note.startswith("infrared: 290 to 300 became 0 to 1, values outside were cut") for note in pair["notes"])


def test_a_range_that_no_sample_is_in(folder):
    with pytest.raises(DataError, match=r"a\.tif: found samples from 2800 to 4600, expected some in 0 to 100 \(--inf"):
        PairedImages(folder, infrared_range=(0, 100))[0]


@pytest.mark.parametrize("kind", ["14 bits of 16", "the middle of 16"])
def test_counts_of_a_narrow_range_are_fused_with_a_warning_that_names_the_remedy(folder, kind, capsys):
    said = remarks(fused(replaced(folder, KINDS[kind])))
    assert "infrared: nearly all samples within a quarter of the 16-bit range" in said
    assert "--stretch-infrared or --infrared-range LO,HI" in said
    assert "--stretch-infrared" in capsys.readouterr().out
    assert "nearly all" not in remarks(fused(folder, "--stretch-infrared"))
    full = np.rint(65535 * SCENE).astype(np.uint16)
    assert "nearly all" not in remarks(fused(replaced(folder, full)))


@pytest.mark.parametrize("kind", ["Kelvin", "degrees"])
def test_floats_in_other_units_are_refused_with_the_remedy(folder, kind, capsys):
    with pytest.raises(SystemExit) as stop:
        fused(replaced(folder, KINDS[kind]))
    assert stop.value.code == 2
    assert "--stretch-infrared or --infrared-range LO,HI" in capsys.readouterr().err


def test_the_stretched_image_shows_in_the_fused_one(folder):
    fused(folder)
    lost = cv2.imread(str(folder / "out/fused/a.tif"), cv2.IMREAD_UNCHANGED).astype(float)
    fused(folder, "--infrared-range", "2800,4600")
    shown = cv2.imread(str(folder / "out/fused/a.tif"), cv2.IMREAD_UNCHANGED).astype(float)
    assert shown.dtype == lost.dtype
    smooth = [cv2.GaussianBlur(image, (0, 0), 3).ravel() for image in (lost, shown, SCENE)]
    assert np.corrcoef(smooth[1], smooth[2])[0, 1] > 0.9
    assert smooth[1].mean() > smooth[0].mean() + 0.1 * 65535


def test_kelvin_is_fused_into_sixteen_bits(folder):
    fused(replaced(folder, KINDS["Kelvin"]), "--stretch-infrared", "--no-metrics")
    assert tifffile.imread(folder / "out/fused/a.tif").dtype == np.uint16


@pytest.mark.parametrize("kind", ["14 bits of 16", "Kelvin"])
def test_a_border_of_zeros_is_in_no_percentile(folder, kind):
    image = KINDS[kind].copy()
    low, high = np.percentile(image[5:, 5:], (0.5, 99.5))
    image[:5] = image[:, :5] = 0
    pair = PairedImages(replaced(folder, image), infrared_range="stretch")[0]
    expected = ((image.astype(float) - low) / (high - low)).clip(0, 1)
    np.testing.assert_allclose(pair["infrared"][0], expected, atol=1e-6)
    assert "infrared: a border of zeros left out of the percentiles" in pair["notes"]
    pair = PairedImages(replaced(folder, np.zeros_like(image)), infrared_range="stretch")[0]
    assert not pair["infrared"].any()
    assert "infrared: black, as all samples are equal" in pair["notes"]


FILLED = "filled from beside for network and metrics, masked in the fused image"


@pytest.mark.parametrize("value", [-9999, 9999])
@pytest.mark.parametrize("wanted", ["stretch", (280, 310)])
def test_nodata_is_filled_and_in_no_percentile(value, wanted, folder):
    image = KINDS["Kelvin"].copy()
    low, high = np.percentile(image[4:], (0.5, 99.5)) if wanted == "stretch" else wanted
    image[:4] = value
    tifffile.imwrite(folder / "ir/a.tif", image, extratags=[(42113, 2, 0, str(value), True)])
    pair = PairedImages(folder, infrared_range=wanted)[0]
    assert (np.flatnonzero(pair["missing"].all(axis=1)) == range(4)).all()
    np.testing.assert_allclose(pair["infrared"][0, :4], pair["infrared"][0, 7:3:-1])
    np.testing.assert_allclose(pair["infrared"][0, 4:], ((image[4:] - low) / (high - low)).clip(0, 1), atol=1e-6)
    assert f"infrared: NoData ({value}): {FILLED}" in pair["notes"]
    assert not any("were cut" in note for note in pair["notes"])


def test_nodata_of_the_visible_image_is_said(folder):
    image = VISIBLE.copy()
    image[:4] = 0
    tifffile.imwrite(folder / "vi/a.tif", image, extratags=[(42113, 2, 0, "0", True)])
    assert f"visible: NoData (0): {FILLED}" in PairedImages(folder)[0]["notes"]


@pytest.mark.parametrize("text", ["3", "5,5", "9,1", "a,b", "0,nan", "0,inf"])
def test_ranges_that_are_none(folder, text, capsys):
    with pytest.raises(SystemExit):
        fused(folder, "--infrared-range", text)
    assert "expected LO,HI" in capsys.readouterr().err


def test_either_or(folder, capsys):
    with pytest.raises(SystemExit):
        fused(folder, "--infrared-range", "1,2", "--stretch-infrared")
    assert "not allowed with" in capsys.readouterr().err


def scored(folder, *options):
    return single_line_errors(run)(["--task", "ivf", "--data", str(folder), "--fused", str(folder / "fused"), *options])


@pytest.fixture
def results(folder):
    (folder / "fused").mkdir()
    replaced(folder, np.rint(255 * SCENE).astype(np.uint8))
    return folder


def test_a_fused_file_of_16_bits_that_holds_8_is_not_scored_as_black(results, capsys):
    tifffile.imwrite(results / "fused/a.tif", VISIBLE.astype(np.uint16))
    with pytest.raises(SystemExit):
        scored(results)
    line = capsys.readouterr().err
    assert "fused/a.tif: found samples from 0 to 25" in line
    assert "nearly all within a quarter of the 16-bit range" in line
    assert "--fused-bits" in line
    eight = scored(results, "--fused-bits", "8")["tables"][0]["values"]
    tifffile.imwrite(results / "fused/a.tif", VISIBLE)
    assert scored(results)["tables"][0]["values"] == eight


@pytest.mark.parametrize("kind", ["vi", "ir"])
def test_sources_of_a_narrow_range_are_not_scored_by_guess(results, kind, capsys):
    tifffile.imwrite(results / "fused/a.tif", VISIBLE)
    replaced(results, KINDS["14 bits of 16"], kind)
    with pytest.raises(SystemExit):
        scored(results)
    assert f"{kind}/a.tif: found samples from 2800 to 4600, nearly all within a quarter" in capsys.readouterr().err
    assert scored(results, "--bits", "16")["tables"][0]["values"]
    if kind == "ir":
        assert "stretched" in remarks(scored(results, "--stretch-infrared"))


def test_training_says_it_too_and_goes_on_with_the_same_range(folder, capsys):
    for name in ("vi", "ir"):
        image = tifffile.imread(folder / name / "a.tif")
        tifffile.imwrite(folder / name / "b.tif", image[::-1])
    small = ("--patch", "32", "--batch", "2", "--steps", "1", "--device", "cpu", "--data", str(folder))
    train_dcinn_ivf_tno.main([*small, "--output", str(folder / "run")])
    assert "--stretch-infrared or --infrared-range LO,HI" in capsys.readouterr().out
    train_dcinn_ivf_tno.main([*small, "--output", str(folder / "other"), "--stretch-infrared"])
    assert "nearly all" not in capsys.readouterr().out
    with pytest.raises(SystemExit):
        train_dcinn_ivf_tno.main(
            [*small[:4], "--steps", "2", *small[6:], "--output", str(folder / "other"), "--resume"]
        )
    assert "infrared_range" in capsys.readouterr().err
