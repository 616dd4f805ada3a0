"""Infrared and visible GeoTIFFs: cropped to their common ground or refused, and NoData stays NoData."""

import cv2
import numpy as np
import pytest
import tifffile
from tiny_scenes import geo, write

import test_dcinn_ivf_tno
from data import DataError, PairedImages
from data.files.georeference import georeference
from data.files.geotiff import geo_tags
from utils.evaluation.fused_pictures import read_fused

HEIGHT, WIDTH = 40, 48
GROUND = cv2.GaussianBlur(np.random.default_rng(3).random((100, 100)), (0, 0), 2)
GROUND = (GROUND - GROUND.min()) / np.ptp(GROUND)


def part(top, left, height=HEIGHT, width=WIDTH):
    """A part of the ground, 16 bits, and its tags: pixels of half a metre."""
    image = np.rint(GROUND[top : top + height, left : left + width] * 60000 + 2000).astype(np.uint16)
    return image, geo((5e5 + left / 2, 4.1e6 - top / 2), pixel=0.5)


def pair(folder, visible, infrared, nodata=(None, None)):
    """Write vi/a.tif and ir/a.tif of (image, tags); returns the item."""
    for name, (image, tags), text in zip(("vi", "ir"), (visible, infrared), nodata, strict=True):
        (folder / name).mkdir(exist_ok=True)
        write(folder / name / "a.tif", image, tags, nodata=text)
    return PairedImages(folder)[0]


def fused(folder, *more):
    """Fuse; returns the fused TIFF (H, W) and its tags."""
    test_dcinn_ivf_tno.main(["--data", str(folder), "--output", str(folder / "o"), "--no-metrics", *more])
    with tifffile.TiffFile(folder / "o/fused/a.tif") as tiff:
        return tiff.asarray(), {tag.code: tag.value for tag in tiff.pages[0].tags}


def test_a_pair_of_different_extent_is_cropped(tmp_path):
    item = pair(tmp_path, part(5, 10), part(12, 3))
    assert item["visible"].shape == (1, 33, 41)
    assert np.array_equal(item["visible"], item["infrared"])
    said = (
        "images of different extent: fused their common ground, rows 7 to 40 and columns 0 to 41 of the visible image"
    )
    assert item["notes"][-1] == said
    image, _ = fused(tmp_path)
    assert image.shape == (33, 41)
    place = georeference(geo_tags(tmp_path / "o/fused/a.tif"), tmp_path)
    assert place.grid[:, 2] == pytest.approx((5e5 + 5, 4.1e6 - 6))
    assert place.crs == "EPSG:32633"


def test_equal_grids_are_left_alone_and_shifted_ones_are_told(tmp_path):
    item = pair(tmp_path, part(5, 10), part(5, 10))
    assert item["visible"].shape == (1, HEIGHT, WIDTH)
    assert not any("extent" in note or "apart" in note for note in item["notes"])
    image, _ = part(5, 10)
    item = pair(tmp_path, part(5, 10), (image, geo((5e5 + 5.2, 4.1e6 - 2.5), pixel=0.5)))
    assert item["notes"][-1] == "grids up to half a pixel apart: fused as they are"
    item = pair(tmp_path, part(5, 10), (image, ()))
    assert item["notes"][-1] == "only the visible image has a georeference: taken to show the same ground"


def test_a_world_file_places_a_photograph(tmp_path):
    image, tags = part(5, 10)
    pair(tmp_path, (image, tags), (image, tags))
    (tmp_path / "vi/a.tif").unlink()
    cv2.imwrite(str(tmp_path / "vi/a.png"), image[4:])
    (tmp_path / "vi/a.pgw").write_text("0.5\n0\n0\n-0.5\n500005.25\n4099995.25\n")
    item = PairedImages(tmp_path)[0]
    assert np.array_equal(item["visible"], item["infrared"])
    assert item["visible"].shape == (1, 36, WIDTH)
    image, tags = fused(tmp_path)
    assert tags[33922][3:5] == (5e5 + 5, 4.1e6 - 4.5), "the place of the only TIFF, four rows further down"


REFUSED = {
    "another CRS": (geo((5e5 + 5, 4.1e6 - 2.5), pixel=0.5, crs=32634), "EPSG:32633 as the visible image has"),
    "elsewhere": (geo((9e5, 4.1e6), pixel=0.5), "expected common ground"),
    "larger pixels": (geo((5e5 + 5, 4.1e6 - 2.5), pixel=0.7), "found pixels 1.4 times as large as the visible image's"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_georeferences_that_do_not_fit(case, tmp_path):
    tags, message = REFUSED[case]
    with pytest.raises(DataError, match=message):
        pair(tmp_path, part(5, 10), (part(5, 10)[0], tags))


def test_coarser_pixels_of_the_same_ground_are_resampled_if_asked(tmp_path):
    image, tags = part(5, 10)
    coarse = cv2.resize(image, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    with pytest.raises(DataError, match="its partner"):
        pair(tmp_path, (image, tags), (coarse, geo((5e5 + 5, 4.1e6 - 2.5), pixel=1.0)))
    item = PairedImages(tmp_path, resize_infrared=True)[0]
    assert np.abs(item["visible"] - item["infrared"]).mean() < 0.02


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


def test_nodata_in_every_pixel_is_refused(tmp_path):
    image, tags = part(5, 10)
    with pytest.raises(DataError, match=r"NoData \(0\) in every pixel"):
        pair(tmp_path, (np.zeros_like(image), tags), (image, tags), ("0", None))
