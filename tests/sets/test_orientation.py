"""Photographs whose EXIF turns them: pairs are fused the right way up, and named where they do not fit so."""

import numpy as np
import pytest
import tifffile
from outputs import ended, one_line
from PIL import Image, ImageOps
from tiny_scenes import geo, write

import test_dcinn_ivf_tno
from data import PairedImages
from data.errors import DataError
from data.files.image_file import read_raster, read_upright
from data.photograph_pairs import PhotographPairs
from utils.evaluation import score

RNG = np.random.default_rng(0)
STORED = RNG.integers(0, 256, (20, 30), np.uint8)
COLOUR = RNG.integers(0, 256, (20, 30, 3), np.uint8)


def photograph(path, orientation, stored=STORED):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(stored).save(path, exif=exif)
    return path


@pytest.mark.parametrize("stored", [STORED, COLOUR])
@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
@pytest.mark.parametrize("orientation", range(10))
def test_as_every_viewer_shows_it(orientation, suffix, stored, tmp_path):
    path = photograph(tmp_path / f"a.{suffix}", orientation, stored)
    image, said = read_upright(path)
    in_memory = Image.fromarray(read_raster(photograph(tmp_path / f"stored.{suffix}", 1, stored)))
    in_memory.getexif()[0x0112] = orientation
    shown = np.asarray(ImageOps.exif_transpose(in_memory))
    assert image.shape == shown.shape
    assert np.array_equal(image, shown)
    assert said == ([f"EXIF orientation {orientation} applied"] if 2 <= orientation <= 8 else [])


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_a_tiff_that_opencv_decodes_is_turned_once(orientation, order, tmp_path):
    image = np.zeros((32, 48, 3), np.uint8)
    image[:8, :16] = 250
    tags, options = [(274, 3, 1, orientation, True)], {"metadata": None, "byteorder": order}
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="ycbcr", compression="jpeg", extratags=tags, **options)
    tifffile.imwrite(tmp_path / "b.tif", image, photometric="rgb", extratags=tags, **options)
    both = tmp_path / "a.tif", tmp_path / "b.tif"
    for read in (read_raster, lambda path: read_upright(path)[0]):
        one, other = (read(path)[..., 0] > 128 for path in both)  # colours that tifffile does not convert
        assert other.sum() == 128
        assert np.array_equal(one, other)


def test_a_pair_that_fits_after_it(tmp_path):
    photograph(tmp_path / "a.png", 6, COLOUR)
    Image.fromarray(np.rot90(STORED, -1)).save(tmp_path / "b.png")
    pair = PairedImages(visible=tmp_path / "a.png", infrared=tmp_path / "b.png")[0]
    assert pair["visible"].shape == (1, 30, 20)
    assert np.array_equal(np.rint(pair["colour"] * 255), np.rot90(COLOUR, -1).transpose(2, 0, 1))
    assert pair["notes"][0] == "visible: colour turned to luma (0.299 R + 0.587 G + 0.114 B)"
    assert "visible: EXIF orientation 6 applied" in pair["notes"]
    photograph(tmp_path / "b.png", 6)
    pair = PairedImages(visible=tmp_path / "a.png", infrared=tmp_path / "b.png")[0]
    assert np.array_equal(np.rint(pair["infrared"][0] * 255), np.rot90(STORED, -1))


def test_the_fused_image_is_upright(tmp_path, capsys):
    photograph(tmp_path / "a.png", 6)
    photograph(tmp_path / "b.png", 8, STORED[::-1, ::-1])
    out = tmp_path / "out.png"
    run = ("--visible", tmp_path / "a.png", "--infrared", tmp_path / "b.png", "--output", out)
    test_dcinn_ivf_tno.main([str(o) for o in run])
    said = capsys.readouterr().out
    assert "visible: EXIF orientation 6 applied" in said
    assert "infrared: EXIF orientation 8 applied" in said
    image, more = read_upright(out)
    assert (image.shape, more) == ((30, 20), [])
    assert np.corrcoef(image.ravel(), np.rot90(STORED, -1).ravel())[0, 1] > 0.9
    Image.fromarray(np.rot90(image)).save(tmp_path / "turned.png", exif=_exif(6))
    scored = ("--task", "ivf", *map(str, run[:4]), "--fused")
    upright, turned = (score.run([*scored, str(tmp_path / n), "--name", "m"]) for n in ("out.png", "turned.png"))
    assert upright["tables"][0]["values"] == turned["tables"][0]["values"]


def _exif(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def test_a_pair_that_does_not_fit_after_it_is_refused_by_its_orientation(tmp_path, capfd):
    photograph(tmp_path / "a.png", 6)
    Image.fromarray(STORED).save(tmp_path / "b.png")
    run = ("--visible", tmp_path / "a.png", "--infrared", tmp_path / "b.png", "--output", tmp_path / "out")
    ended(test_dcinn_ivf_tno.main, *run)
    line = one_line(capfd)
    assert "b.png: found 20x30 pixels, expected 30x20 pixels (EXIF orientation 6) of its partner" in line
    assert not (tmp_path / "out").exists()


def test_photographs_of_one_scene(tmp_path):
    for name, orientation in (("A", 3), ("B", 1)):
        photograph(tmp_path / f"set/x-{name}.png", orientation, COLOUR)
    pair = PhotographPairs("multifocus", tmp_path / "set")[0]
    assert np.array_equal(pair["first"], pair["second"][:, ::-1, ::-1])
    assert "first: EXIF orientation 3 applied" in pair["notes"]
    photograph(tmp_path / "set/x-B.png", 5, COLOUR)
    with pytest.raises(DataError, match=r"30x20 pixels \(EXIF orientation 5\)"):
        PhotographPairs("multifocus", tmp_path / "set")[0]


def test_a_georeferenced_file_stays_as_it_is_stored(tmp_path):
    write(tmp_path / "a.tif", STORED, [*geo(), (274, 3, 1, 3, True)])
    image, said = read_upright(tmp_path / "a.tif")
    assert np.array_equal(image, STORED)
    assert said == ["EXIF orientation 3 not applied, pixels as stored: the file is georeferenced"]
    assert tifffile.imread(tmp_path / "a.tif").shape == image.shape
