"""Infrared and visible GeoTIFFs are cropped to their common ground, or refused."""

import cv2
import numpy as np
import pytest
import tifffile
from placed_pairs import GROUND, HEIGHT, WIDTH, fused, pair, part
from tiny_scenes import geo, write

from data import DataError, PairedImages
from data.files.georeference import georeference
from data.files.geotiff import geo_tags


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


def test_colour_and_a_turned_grid_are_cropped_alike(tmp_path):
    rgb = np.stack([GROUND, GROUND.T, 1 - GROUND])[:, 5:45, 10:58]
    matrix = [0.3, 0.4, 0, 5e5, 0.4, -0.3, 0, 4.1e6, 0, 0, 0, 0, 0, 0, 0, 1]
    moved = list(matrix)
    moved[3], moved[7] = 5e5 + 7 * 0.3 + 4 * 0.4, 4.1e6 + 7 * 0.4 - 4 * 0.3  # from column 7 and row 4 on
    image = np.rint(rgb * 255).astype(np.uint8)
    thermal = image[0, 4:, 7:]
    item = pair(tmp_path, (image, geo(matrix=matrix)), (thermal, geo(matrix=moved)))
    np.testing.assert_allclose(item["colour"], image[:, 4:, 7:] / 255, atol=1e-6)
    image, tags = fused(tmp_path)
    assert image.shape == (36, 41, 3)
    assert tags[34264] == pytest.approx(moved, rel=1e-12)


def test_the_stretch_is_that_of_the_common_ground(tmp_path):
    image, tags = part(5, 10)
    wide = np.concatenate([image, np.full((HEIGHT, 20), 65535, np.uint16)], axis=1)
    pair(tmp_path, (image, tags), (image, tags))
    alone = PairedImages(tmp_path, infrared_range="stretch")[0]["infrared"]
    pair(tmp_path, (image, tags), (wide, tags))
    assert np.array_equal(PairedImages(tmp_path, infrared_range="stretch")[0]["infrared"], alone)


def test_a_turned_photograph_is_not_placed_by_its_world_file(tmp_path):
    image, tags = part(5, 10)
    pair(tmp_path, (image, ()), (image, tags))
    tifffile.imwrite(tmp_path / "vi/a.tif", image[::-1], extratags=[(274, 3, 1, 4, True)])  # stored upside down
    (tmp_path / "vi/a.tfw").write_text("0.5\n0\n0\n-0.5\n100.25\n99.75\n")
    item = PairedImages(tmp_path)[0]
    assert np.array_equal(item["visible"], item["infrared"])
    assert fused(tmp_path)[1][33922] == tuple(tags[1][3]), "the place of the other image"


REFUSED = {
    "another CRS": (geo((5e5 + 5, 4.1e6 - 2.5), pixel=0.5, crs=32634), "EPSG:32633 as the visible image has"),
    "elsewhere": (geo((9e5, 4.1e6), pixel=0.5), "expected common ground"),
    "too little": (geo((5e5 + 5 + 20, 4.1e6 - 2.5), pixel=0.5), "found 40x8 pixels of common ground"),
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
    assert not any("apart" in note for note in item["notes"])
    coarse[:4] = 0
    write(tmp_path / "ir/a.tif", coarse, geo((5e5 + 5.3, 4.1e6 - 2.5), pixel=1.0), "0")
    item = PairedImages(tmp_path, resize_infrared=True)[0]
    assert "grids up to half a pixel of the coarser image apart" in item["notes"]
    assert item["missing"][:8].all()
    assert not item["missing"][10:].any()
    write(tmp_path / "ir/a.tif", coarse, geo((5e5 + 6, 4.1e6 - 2.5), pixel=1.0))
    for resize, offer in ((None, False), (False, True), (True, False)):
        with pytest.raises(DataError, match="pixels 2 times as large") as found:
            PairedImages(tmp_path, resize_infrared=resize)[0]
        assert ("--resize-infrared" in str(found.value)) is offer
