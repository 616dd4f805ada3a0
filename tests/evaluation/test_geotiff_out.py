"""GeoTIFFs as they are written, read back by another program: place, NoData, bands, tiles, samples."""

import sys

import numpy as np
import pytest
import tifffile
from outputs import ended, one_line
from tiny_scenes import fuse, geo, ground, stirred_network, write

import test_dcinn_ivf_tno
import test_dcinn_ps
from data.files.raster_windows import Windows
from utils.evaluation.scene_by_tiles import write_crop
from utils.evaluation.scene_pair import ScenePair
from utils.output.geotiff_file import TILE, write_tiled

ITEMS = (
    "<GDALMetadata>"
    '<Item name="COLORINTERP" sample="0" role="colorinterp">Blue</Item>'
    '<Item name="COLORINTERP" sample="1" role="colorinterp">Green</Item>'
    '<Item name="COLORINTERP" sample="2" role="colorinterp">Red</Item>'
    '<Item name="DESCRIPTION" sample="0" role="description">B2, bläu</Item>'
    '<Item name="DESCRIPTION" sample="3" role="description">near infrared</Item>'
    '<Item name="SCALE" sample="0" role="scale">0.0001</Item>'
    '<Item name="STATISTICS_MEAN" sample="0">77</Item>'
    '<Item name="SATELLITE">toy</Item>'
    "</GDALMetadata>"
)
TEXT = [(42112, 2, 0, ITEMS.encode(), True), (306, 2, 0, "2020:01:02 03:04:05", True), (315, 2, 0, "somebody", True)]


@pytest.fixture
def folder(tmp_path):
    """MS and pan of one place, 11 bits, described, with a border of NoData."""
    stirred_network(tmp_path / "w.pth")
    return delivered(tmp_path)


def delivered(folder, dtype=np.uint16, nodata="0"):
    ms, pan = (image.astype(dtype) for image in ground())
    ms[:, :4], pan[:16] = float(nodata), float(nodata)
    write(folder / "ms.tif", ms, [*geo(pixel=2.0), *TEXT], nodata)
    write(folder / "pan.tif", pan, geo(), nodata)
    return folder


def checked(rasterio, path, dtype, nodata):
    with rasterio.open(path) as file:
        assert file.crs.to_epsg() == 32633
        assert tuple(file.transform)[:6] == (0.5, 0, 5e5, 0, -0.5, 4.1e6)
        assert file.nodata == nodata
        assert file.dtypes == (dtype,) * 4
        assert file.descriptions == ("B2, bläu", None, None, "near infrared")
        assert [colour.name for colour in file.colorinterp][:3] == ["blue", "green", "red"]
        assert file.compression.name == "deflate"
        assert file.tags()["SATELLITE"] == "toy"
        assert file.tags()["TIFFTAG_DATETIME"] == "2020:01:02 03:04:05"
        assert file.tags()["TIFFTAG_ARTIST"] == "somebody"
        assert file.scales == (1.0,) * 4
        assert "STATISTICS_MEAN" not in file.tags(1)
        samples = file.read()
        assert (file.read_masks(1)[:16] == 0).all()
        assert (file.read_masks()[:, 16:] == 255).all()
        return samples, file.profile


@pytest.mark.parametrize(
    ("dtype", "nodata", "options", "written"),
    [
        ("uint16", "0", (), "uint16"),
        ("int16", "-9999", (), "int16"),
        ("int16", "-9999", ("--bits", "16"), "float32"),
        ("float32", "-1", (), "float32"),
    ],
)
def test_a_fused_scene(dtype, nodata, options, written, folder):
    rasterio = pytest.importorskip("rasterio")
    delivered(folder, dtype, nodata)
    _, fused, tags = fuse(folder, *options)
    samples, profile = checked(rasterio, folder / "o/fused.tif", written, float(nodata))
    assert np.array_equal(samples, fused), "as tifffile reads it"
    assert (profile["blockxsize"], profile["blockysize"], profile["tiled"]) == (TILE, TILE, True)
    assert profile["interleave"] == "pixel"
    assert tags[317] == (3 if written == "float32" else 2), "the predictor"
    assert sorted(p.name for p in (folder / "o").iterdir()) == ["fused.tif", "fused_rgb.png"]


def test_signed_samples_are_those_of_unsigned_ones(folder):
    delivered(folder, "uint16", "0")
    _, unsigned, _ = fuse(folder, output="u")
    delivered(folder, "int16", "-9999")
    _, signed, _ = fuse(folder, output="s")
    assert signed.dtype == np.int16
    assert (signed[:, :16] == -9999).all()
    assert np.abs(signed[:, 16:].astype(int) - unsigned[:, 16:]).max() <= 1, "0 is a number there, NoData here"
    assert signed[:, 16:].min() >= 0


def test_a_cloud_optimised_file(folder):
    rasterio = pytest.importorskip("rasterio")
    _, plain, _ = fuse(folder, output="plain")
    fuse(folder, "--cog", output="cog")
    samples, _ = checked(rasterio, folder / "cog/fused.tif", "uint16", 0)
    assert np.array_equal(samples, plain)
    with rasterio.open(folder / "cog/fused.tif") as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    assert sorted(p.name for p in (folder / "cog").iterdir()) == ["fused.tif", "fused_rgb.png"]


def test_without_rasterio_it_is_one_line_before_the_work(folder, capfd, monkeypatch):
    monkeypatch.setitem(sys.modules, "rasterio.shutil", None)
    files = [str(part) for name in ("ms", "pan") for part in (f"--{name}", folder / f"{name}.tif")]
    ended(test_dcinn_ps.main, *files, "--weights", folder / "w.pth", "--output", folder / "o", "--cog")
    assert "--cog: found no rasterio, expected it installed" in one_line(capfd)
    assert not (folder / "o").exists()
    ended(test_dcinn_ps.main, "--cog", "--output", folder / "o")
    assert "--cog: found without --ms and --pan" in one_line(capfd)


def test_a_fused_pair_that_is_georeferenced(tmp_path):
    rasterio = pytest.importorskip("rasterio")
    _, pan = ground(side=75)
    for kind, image in (("vi", pan), ("ir", pan[::-1])):
        (tmp_path / "set" / kind).mkdir(parents=True)
        write(tmp_path / f"set/{kind}/a.tif", (image / image.max() * 65535).astype(np.uint16), geo())
    test_dcinn_ivf_tno.main(["--data", str(tmp_path / "set"), "--output", str(tmp_path / "out"), "--no-metrics"])
    with rasterio.open(tmp_path / "out/fused/a.tif") as file:
        assert file.crs.to_epsg() == 32633
        assert tuple(file.transform)[:6] == (0.5, 0, 5e5, 0, -0.5, 4.1e6)
        assert file.block_shapes == [(TILE, TILE)]
        assert file.compression.name == "deflate"
        assert np.array_equal(file.read(1), tifffile.imread(tmp_path / "out/fused/a.tif"))


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
def test_a_crop_is_that_part_of_the_scene(dtype, folder):
    rasterio = pytest.importorskip("rasterio")
    delivered(folder, dtype, "0" if dtype == "uint16" else "-9999")
    _, whole, _ = fuse(folder, output="whole")
    scene = ScenePair(Windows(folder / "ms.tif"), Windows(folder / "pan.tif"), 2047)
    rows, columns = (8, 72), (40, 168)
    part = whole[:, slice(*rows), slice(*columns)]
    write_crop(folder / "crop.tif", part.astype(np.float32) / 2047, scene, rows, columns)
    with rasterio.open(folder / "crop.tif") as crop, rasterio.open(folder / "whole/fused.tif") as file:
        assert np.array_equal(crop.read(), part)
        assert crop.dtypes == file.dtypes
        assert (crop.nodata, crop.crs, crop.descriptions) == (file.nodata, file.crs, file.descriptions)
        assert crop.transform * (0, 0) == file.transform * (columns[0], rows[0])
        assert (crop.read_masks(1)[:8] == 0).all()
        assert (crop.read_masks(1)[8:] == 255).all()


@pytest.mark.parametrize("shape", [(1, 1), (256, 256), (300, 700), (513, 40, 3), (257, 255, 5)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_any_shape_and_type_comes_back(shape, dtype, tmp_path):
    image = (np.random.default_rng(0).normal(0, 90, shape)).astype(dtype)
    asked = []
    write_tiled(tmp_path / "a.tif", lambda: asked.append(1) or image, rgb=len(shape) > 2)
    assert np.array_equal(tifffile.imread(tmp_path / "a.tif"), image)
    assert len(asked) == 1 + -(-shape[0] // TILE), "anew for each row of tiles"
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages[0].photometric.name == ("RGB" if len(shape) > 2 else "MINISBLACK")


def test_packing_is_all_or_nothing(folder, monkeypatch, capfd):
    from utils.evaluation import scene_by_tiles

    (folder / "o").mkdir()
    (folder / "o/fused.tif").write_text("an earlier result")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scene_by_tiles, "write_tiled", full)
    files = [str(part) for name in ("ms", "pan") for part in (f"--{name}", folder / f"{name}.tif")]
    ended(test_dcinn_ps.main, *files, "--weights", folder / "w.pth", "--output", folder / "o")
    assert "No space left" in one_line(capfd)
    assert [(p.name, p.read_text()) for p in (folder / "o").iterdir()] == [("fused.tif", "an earlier result")]
