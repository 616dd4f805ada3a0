"""Places, NoData and ENVI headers of measured hyperspectral images: kept, told or refused."""

import cv2
import numpy as np
import pytest
from measured_files import envi
from measured_scenes import measured_folder, run, scene
from tiny_scenes import geo, write

from data.files.georeference import georeference
from data.files.moved_tags import finer_tags
from data.files.scene_image import open_image


@pytest.fixture
def folder(tmp_path):
    return measured_folder(tmp_path)


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
