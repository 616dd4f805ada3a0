"""What a delivery says beside its samples: masks, white zeros, palettes, transparency, world files, GDAL's sidecars."""

import numpy as np
import pytest
import tifffile
from scoring import refused
from tiny_scenes import PLACE, fuse, geo, ground, stirred_network, write

import test_dcinn_ps


@pytest.fixture
def folder(tmp_path):
    stirred_network(tmp_path / "w.pth")
    ms, pan = ground(side=24)
    write(tmp_path / "ms.tif", ms, geo(pixel=2.0))
    write(tmp_path / "pan.tif", pan, geo())
    return tmp_path


def pan_of(folder):
    return tifffile.imread(folder / "pan.tif")


def refusal(folder, capsys):
    files = {"--ms": "ms.tif", "--pan": "pan.tif", "--weights": "w.pth", "--output": "o"}
    with pytest.raises(SystemExit) as stop:
        test_dcinn_ps.main([str(part) for key, name in files.items() for part in (key, folder / name)])
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert error.count("\n") == 1
    assert not (folder / "o").exists()
    return error


def with_mask(path, image, mask, tags=()):
    with tifffile.TiffWriter(path) as file:
        file.write(image, photometric="minisblack", metadata=None, extratags=tags)
        file.write(mask, photometric="mask", subfiletype=4, metadata=None)


def test_other_meanings_of_samples_are_refused(folder, capsys):
    image = pan_of(folder)
    tifffile.imwrite(folder / "pan.tif", 2047 - image, photometric="miniswhite", metadata=None)
    assert "found samples whose zero is white, expected numbers, zero for black" in refusal(folder, capsys)
    colours = np.zeros((3, 256), np.uint16)
    tifffile.imwrite(folder / "pan.tif", (image >> 3).astype(np.uint8), photometric="palette", colormap=colours)
    assert "found indices of a palette's colours" in refusal(folder, capsys)


def test_a_mask_that_leaves_pixels_out_is_refused_and_a_full_one_is_not(folder, capsys):
    image = pan_of(folder)
    mask = np.ones(image.shape, bool)
    with_mask(folder / "pan.tif", image, mask, geo())
    assert fuse(folder)[0]["notes"] == []
    mask[:5, :4] = False
    with_mask(folder / "pan.tif", image, mask, geo())
    (folder / "o").rename(folder / "first")
    assert "pan.tif: found a mask that leaves out 20 samples, expected NoData as a value" in refusal(folder, capsys)
    write(folder / "pan.tif", image, geo())
    tifffile.imwrite(folder / "pan.tif.msk", mask.astype(np.uint8) * 255)
    assert "found a mask (pan.tif.msk) that leaves out 20 samples" in refusal(folder, capsys)
    (folder / "pan.tif.msk").write_bytes(b"II*\0")
    assert "pan.tif.msk: found no readable mask" in refusal(folder, capsys)


def test_a_band_of_transparency_and_further_images_are_said(folder):
    ms, image = np.moveaxis(tifffile.imread(folder / "ms.tif"), -1, 0), pan_of(folder)
    kinds = {"photometric": "rgb", "extrasamples": ["unassalpha"], "metadata": None, "extratags": geo(pixel=2.0)}
    tifffile.imwrite(folder / "ms.tif", np.ascontiguousarray(np.moveaxis(ms, 0, -1)), **kinds)
    with tifffile.TiffWriter(folder / "pan.tif") as file:
        file.write(image, photometric="minisblack", metadata=None, extratags=geo())
        file.write(image[::2, ::2], photometric="minisblack", metadata=None, subfiletype=1)
        file.write(image[:9, :9], photometric="minisblack", metadata=None)
    assert fuse(folder)[0]["notes"] == [
        "Band 4 of ms.tif is declared transparency (alpha), fused as a band.",
        "Further images in pan.tif left out (1).",
    ]


@pytest.mark.parametrize("suffix", [".tfw", ".TFW", ".wld"])
def test_a_world_file_is_a_georeference(suffix, folder, capsys):
    x, y = PLACE
    ms, image = tifffile.imread(folder / "ms.tif"), pan_of(folder)
    write(folder / "ms.tif", np.moveaxis(ms, -1, 0)[:, 8:])
    write(folder / "pan.tif", image)
    world = lambda pixel, top: f"{pixel}\n0\n0\n-{pixel}\n{x + pixel / 2}\n{top - pixel / 2}\n"  # noqa: E731
    (folder / f"pan{suffix}").write_text(world(0.5, y))
    (folder / f"ms{suffix}").write_text(world(2.0, y - 16))
    result, fused, tags = fuse(folder)
    assert "rows 32 to 96 and columns 0 to 96 of the pan's 96x96" in result["notes"][0]
    assert fused.shape == (4, 64, 96)
    assert tags[34264][:8] == (0.5, 0, 0, x, 0, -0.5, 0, y - 16)
    (folder / f"ms{suffix}").write_text("2\n0\n0\n-2\n1")
    (folder / "o").rename(folder / "first")
    assert f"ms{suffix}: found no world file, expected six numbers" in refusal(folder, capsys)


def test_tags_go_before_a_world_file(folder):
    (folder / "ms.tfw").write_text("2\n0\n0\n-2\n1\n1\n")
    assert fuse(folder)[0]["notes"] == []


def test_nodata_of_a_sidecar(folder):
    image = pan_of(folder)
    image[:6] = 77
    write(folder / "pan.tif", image, geo())
    text = '<PAMDataset><PAMRasterBand band="1"><NoDataValue le_hex_endian="">7.7E+01</NoDataValue></PAMRasterBand>'
    (folder / "pan.tif.aux.xml").write_text(text)
    result, fused, tags = fuse(folder)
    assert "NoData in 6.25% of the fused pixels" in result["notes"][0]
    assert (fused[:, :6] == 77).all()
    assert float(tags[42113]) == 77


def test_nodata_of_a_sidecar_that_is_no_number(folder, capsys):
    (folder / "pan.tif.aux.xml").write_text("<NoDataValue>&none;</NoDataValue>")
    assert "pan.tif.aux.xml: found GDAL_NODATA '&none;', expected a number" in refusal(folder, capsys)


def test_scores_refuse_them_too(tmp_path, capsys):
    for name in ("gt", "f"):
        (tmp_path / name).mkdir()
    cube = np.random.default_rng(0).integers(0, 2000, (6, 32, 32)).astype(np.uint16)
    np.save(tmp_path / "gt/a.npy", cube)
    tifffile.imwrite(tmp_path / "f/a.tif", cube, photometric="miniswhite", planarconfig="separate")
    options = ("--task", "hmf", "--fused", tmp_path / "f", "--data", tmp_path / "gt", "--bits", 11)
    assert "a.tif: found samples whose zero is white" in refused(capsys, *options)


@pytest.mark.parametrize("role", ["scale", "offset"])
def test_a_scale_is_said(folder, role):
    image = pan_of(folder)
    xml = f'<GDALMetadata><Item name="X" sample="0" role="{role}">0.01</Item></GDALMetadata>'
    write(folder / "pan.tif", image, [*geo(), (42112, "s", 0, xml, True)])
    said = fuse(folder)[0]["notes"]
    assert any("pan.tif declares a scale or an offset of its samples" in note for note in said)
    write(folder / "pan.tif", image, geo())
    assert not any("declares a scale" in note for note in fuse(folder, output="other")[0]["notes"])
