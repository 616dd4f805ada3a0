"""NoData of infrared-visible pairs stays NoData, and disturbs neither network nor metrics."""

import cv2
import numpy as np
import pytest
import tifffile
from placed_pairs import HEIGHT, WIDTH, fused, pair, part
from tiny_scenes import write

import test_dcinn_ivf_tno
from data import DataError, PairedImages
from utils.evaluation.fused_pictures import read_fused
from utils.output.stored_numbers import with_nodata


def test_nodata_of_either_image_stays(tmp_path):
    (visible, tags), (infrared, _) = part(5, 10), part(5, 10)
    whole = pair(tmp_path, (visible, tags), (infrared, tags))
    assert whole["missing"] is None
    before, _ = fused(tmp_path)
    holes = visible.copy(), np.where(np.arange(WIDTH) < 4, np.float32(-9999), infrared / np.float32(65535))
    holes[0][30:, 40:] = 0
    item = pair(tmp_path, (holes[0], tags), (holes[1].astype(np.float32), tags), ("0", "-9999"))
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[30:, 40:], expected[:, :4] = True, True
    assert np.array_equal(item["missing"], expected)
    assert np.abs(item["visible"] - whole["visible"])[0, ~expected].max() < 1e-6
    assert item["infrared"].min() >= 0
    assert "visible: NoData (0): filled from beside for network and metrics, masked in the fused image" in item["notes"]
    (tmp_path / "o").rename(tmp_path / "before")
    image, tags = fused(tmp_path)
    assert tags[42113] == "-9999", "a value that no measurement has"
    assert np.array_equal(image == -9999, expected)
    near = np.abs(image * 65535 - before)[~expected]
    assert near.mean() < 300, "the filling leaves the measured pixels alone"


def test_a_measured_sample_is_not_nodata(tmp_path):
    image, tags = part(5, 10)
    black = np.zeros_like(image)
    black[:, :8] = 3
    pair(tmp_path, (black, tags), (black, tags), ("3", None))
    assert PairedImages(tmp_path)[0]["missing"][:, :8].all()
    found, tags = fused(tmp_path)
    assert tags[42113] == "3"
    assert (found[:, :8] == 3).all()
    assert not (found[:, 8:] == 3).any()
    with pytest.raises(DataError, match="measured pixels alone"):
        read_fused(tmp_path / "o/fused/a.tif", (HEIGHT, WIDTH), bits=16)


def test_nan_and_transparency_are_nodata(tmp_path):
    image, tags = part(5, 10)
    thermal = (image / np.float32(65535)).astype(np.float32)
    thermal[:3] = np.nan
    with pytest.raises(DataError, match="found NaN, expected finite values, or a declared NoData value"):
        pair(tmp_path, (image, tags), (thermal, tags))
    item = pair(tmp_path, (image, tags), (thermal, tags), (None, "nan"))
    assert item["missing"][:3].all()
    assert np.isfinite(item["infrared"]).all()
    assert np.isnan(fused(tmp_path)[0][:3]).all()
    clear = np.stack([image // 256] * 3 + [np.full_like(image, 255)]).astype(np.uint8)
    clear[3, :, :5] = 0
    item = pair(tmp_path, (clear, tags), (image, tags))
    assert item["missing"] is None, "a fourth band of unknown meaning, 0 over water in the near infrared"
    for text in (None, "0"):
        write(tmp_path / "vi/a.tif", clear, tags, text, extrasamples=["unspecified", "unspecified", "unassalpha"])
        item = PairedImages(tmp_path)[0]
        assert item["missing"][:, :5].all()
        assert not item["missing"][:, 5:].any()
        assert item["storage"].nodata == "0"


def test_a_png_of_a_pair_with_nodata_is_black_there(tmp_path):
    image, tags = part(5, 10)
    image[:6] = 0
    pair(tmp_path, (image, tags), (image, tags), ("0", None))
    words = ["--visible", str(tmp_path / "vi/a.tif"), "--infrared", str(tmp_path / "ir/a.tif")]
    test_dcinn_ivf_tno.main([*words, "--output", str(tmp_path / "o.png")])
    found = cv2.imread(str(tmp_path / "o.png"), cv2.IMREAD_UNCHANGED)
    assert not found[:6].any()
    assert found[6:].any()


def test_nodata_is_that_of_all_channels_and_far_from_measurements_the_mean(tmp_path):
    image = np.full((3, 100, 200), 100, np.uint8)
    image[:, :, 0] = 200
    image[1, :, 50] = 0
    image[:, :, 80:] = 0
    item = pair(tmp_path, (image, ()), (image[0], ()), ("0", None))
    assert not item["missing"][:, :80].any()
    assert item["missing"][:, 80:].all()
    assert item["visible"][0, 0, 199] == pytest.approx(image[:, :, :80].mean() / 255, abs=0.01)


@pytest.mark.parametrize("value", [255, 0])
def test_samples_at_the_end_of_the_range_are_moved_inwards(value):
    stored = np.array([[value, 7], [value, 9]], np.uint8)
    found = with_nodata(stored, np.uint8(value), np.array([[False, True], [True, True]]), 255)
    assert found.tolist() == [[value, 7], [abs(value - 1), 9]]


def test_values_outside_the_range_that_are_filled_are_not_told(tmp_path):
    image, tags = part(5, 10)
    kelvin = (image / 65535 * 20 + 290).astype(np.float32)
    kelvin[:2] = 400
    (tmp_path / "vi").mkdir()
    (tmp_path / "ir").mkdir()
    write(tmp_path / "vi/a.tif", image, tags)
    write(tmp_path / "ir/a.tif", kelvin, tags, "400")
    notes = PairedImages(tmp_path, infrared_range=(280, 320))[0]["notes"]
    assert not any("were cut" in note for note in notes)


def test_images_that_are_nowhere_both_measured(tmp_path):
    (visible, tags), (infrared, _) = part(5, 10), part(5, 10)
    visible[:, :24], infrared[:, 24:] = 0, 0
    with pytest.raises(DataError, match="NoData wherever the visible image is measured"):
        pair(tmp_path, (visible, tags), (infrared, tags), ("0", "0"))


def test_other_masks_are_refused(tmp_path):
    image, tags = part(5, 10)
    pair(tmp_path, (image, tags), (image, tags))
    tifffile.imwrite(
        tmp_path / "vi/a.tif.msk", np.repeat(np.uint8([[0], [255]]), [4, 36], 0) * np.ones(WIDTH, np.uint8)
    )
    with pytest.raises(DataError, match=r"a mask \(a.tif.msk\) that leaves out 192 samples"):
        PairedImages(tmp_path)[0]
    (tmp_path / "vi/a.tif.msk").unlink()
    options = {"photometric": "miniswhite", "metadata": None, "extratags": [(42113, 2, 0, "0", True)]}
    tifffile.imwrite(tmp_path / "vi/a.tif", image, **options)
    with pytest.raises(DataError, match=r"NoData \(0\) beside samples whose zero is white"):
        PairedImages(tmp_path)[0]


def test_a_bilevel_image_may_declare_nodata(tmp_path):
    image, tags = part(5, 10)
    pair(tmp_path, (image, tags), (image, tags))
    tifffile.imwrite(
        tmp_path / "vi/a.tif", image > 30000, photometric="minisblack", extratags=[(42113, 2, 0, "0", True)]
    )
    assert np.array_equal(PairedImages(tmp_path)[0]["missing"], image <= 30000)


def test_pictures_of_a_pair_with_nodata_are_not_scored(tmp_path, capsys):
    image, tags = part(5, 10)
    pair(tmp_path, (image, tags), (image, tags))
    (tmp_path / "other").mkdir()
    cv2.imwrite(str(tmp_path / "other/a.png"), (image // 256).astype(np.uint8))
    fused(tmp_path, "--fused-beside", f"X={tmp_path / 'other'}")
    image[:4] = 0
    pair(tmp_path, (image, tags), (image, tags), ("0", None))
    with pytest.raises(SystemExit):
        fused(tmp_path, "--fused-beside", f"X={tmp_path / 'other'}")
    assert "found NoData in 192 pixels of its sources" in capsys.readouterr().err


def test_nodata_in_every_pixel_is_refused(tmp_path):
    image, tags = part(5, 10)
    with pytest.raises(DataError, match=r"NoData \(0\) in every pixel"):
        pair(tmp_path, (np.zeros_like(image), tags), (image, tags), ("0", None))
