"""Fused images keep the visible image's colour, the depth of the samples and the GeoTIFF tags."""

import cv2
import numpy as np
import pytest
import tifffile
import torch
from skimage import data as photographs
from skimage.color import rgb2ycbcr

import test_dcinn_ivf_tno
from models import dcinn_ivf

HEIGHT, WIDTH = 40, 48
RGB = photographs.astronaut()[60 : 60 + HEIGHT, 200 : 200 + WIDTH]
GRAY = photographs.camera()[100 : 100 + HEIGHT, 200 : 200 + WIDTH]
SCALES = (33550, 12, 3, (0.5, 0.5, 0.0), True)


def write(path, image, tags=()):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        assert cv2.imwrite(str(path), image if image.ndim == 2 else image[..., ::-1])
    else:
        tifffile.imwrite(path, image, photometric="minisblack" if image.ndim == 2 else "rgb", extratags=tags)
    return path


def read(path):
    if path.suffix == ".tif":
        return tifffile.imread(path)
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return image if image.ndim == 2 else image[..., ::-1]


def fused(tmp_path, visible, infrared, *options, output="out"):
    options = ("--visible", visible, "--infrared", infrared, *options, "--output", tmp_path / output)
    test_dcinn_ivf_tno.main([*map(str, options), "--weights", "untrained", "--protocol", "paper"])
    return tmp_path / output


def expected(visible, infrared):
    torch.manual_seed(0)
    model = dcinn_ivf("max").eval()
    a, b = (torch.from_numpy(np.asarray(i, np.float32))[None, None] for i in (visible, infrared))
    with torch.inference_mode():
        return model(a, b)[0, 0].numpy()


def test_colour_stays_and_the_luma_is_the_fused_one(tmp_path):
    files = write(tmp_path / "vi/a.png", RGB), write(tmp_path / "ir/a.png", GRAY)
    luma = read(fused(tmp_path, *files, "--gray") / "fused/a.png")
    image = read(fused(tmp_path, *files, output="colour") / "fused/a.png")
    assert luma.shape == (HEIGHT, WIDTH)
    assert image.shape == (HEIGHT, WIDTH, 3)
    inside = (image > 0).all(-1) & (image < 255).all(-1)
    assert inside.mean() > 0.5
    # scikit-image's YCbCr has 219 and 224 levels.
    before, after = rgb2ycbcr(RGB), rgb2ycbcr(image)
    assert np.abs(after - before)[inside][:, 1:].max() < 0.6, "chroma"
    assert np.abs((after[..., 0] - 16) * 255 / 219 - luma)[inside].max() < 1.01, "luma"
    assert np.abs((before[..., 0] - 16) * 255 / 219 - luma).mean() > 5, "the luma has changed, so this says something"


def test_gray_stays_gray(tmp_path):
    files = write(tmp_path / "vi/a.png", np.repeat(RGB[..., :1], 3, axis=2)), write(tmp_path / "ir/a.png", GRAY)
    assert read(fused(tmp_path, *files) / "fused/a.png").shape == (HEIGHT, WIDTH)


def test_of_pet_the_colour_stays(tmp_path):
    write(tmp_path / "MRI/a.png", GRAY)
    write(tmp_path / "PET/a.png", RGB)
    options = ["--data", str(tmp_path), "--weights", "untrained", "--output", str(tmp_path / "o")]
    test_dcinn_ivf_tno.main(options)
    image = read(tmp_path / "o/fused/a.png")
    inside = (image > 0).all(-1) & (image < 255).all(-1)
    assert np.abs(rgb2ycbcr(image) - rgb2ycbcr(RGB))[inside][:, 1:].max() < 0.6


@pytest.mark.parametrize(("suffix", "bits"), [(".png", None), (".tif", None), (".tif", 12)])
def test_sixteen_bits_stay(suffix, bits, tmp_path):
    top = 2 ** (bits or 16) - 1
    deep = [np.rint(np.linspace(0, 0.8, i.size).reshape(i.shape) * top).astype(np.uint16) for i in (GRAY, GRAY.T)]
    deep[1] = np.ascontiguousarray(deep[1].T)
    files = write(tmp_path / f"vi/a{suffix}", deep[0]), write(tmp_path / f"ir/a{suffix}", deep[1])
    image = read(fused(tmp_path, *files, *(("--bits", bits) if bits else ())) / f"fused/a{suffix}")
    assert image.dtype == np.uint16
    wanted = np.rint(expected(*(d / top for d in deep)).clip(0, 1) * top)
    assert np.abs(image - wanted).max() <= 1
    assert len(np.unique(image)) > 600, "more than eight bits of them"


def test_the_deeper_of_the_two_decides(tmp_path):
    files = write(tmp_path / "vi/a.png", RGB), write(tmp_path / "ir/a.png", GRAY.astype(np.uint16) * 257)
    image = read(fused(tmp_path, *files) / "fused/a.png")
    assert (image.dtype, image.shape) == (np.uint16, (HEIGHT, WIDTH, 3))


def test_floats_stay_with_their_place_on_earth(tmp_path):
    visible, infrared = GRAY.astype(np.float32) / 300, RGB[..., 0].astype(np.float32) / 299
    files = write(tmp_path / "vi/a.tif", visible, [SCALES]), write(tmp_path / "ir/a.tif", infrared)
    path = fused(tmp_path, *files) / "fused/a.tif"
    assert read(path).dtype == np.float32
    assert np.abs(read(path) - expected(visible, infrared).clip(0, 1)).max() < 1e-6
    with tifffile.TiffFile(path) as file:
        assert file.pages.first.tags[33550].value == SCALES[3]


def test_one_pair_into_one_file(tmp_path):
    files = write(tmp_path / "a.png", RGB), write(tmp_path / "b.png", GRAY)
    path = fused(tmp_path, *files, output="new/f.png")
    assert [p.name for p in path.parent.iterdir()] == ["f.png"]
    assert (read(path) == read(fused(tmp_path, *files) / "fused/a.png")).all()


def test_a_file_for_what_it_cannot_hold(tmp_path, capsys):
    write(tmp_path / "vi/a.tif", GRAY.astype(np.float32) / 255)
    write(tmp_path / "ir/a.png", GRAY)
    for name in ("out.png", "vi/a.tif"):  # floats; an input
        options = ["--data", tmp_path, "--weights", "untrained", "--output", tmp_path / name]
        with pytest.raises(SystemExit) as stop:
            test_dcinn_ivf_tno.main([str(o) for o in options])
        assert stop.value.code == 2
        line = capsys.readouterr().err
        assert line.count("\n") == 1
        assert name in line
    write(tmp_path / "vi/b.png", GRAY)
    write(tmp_path / "ir/b.png", GRAY)
    with pytest.raises(SystemExit):
        test_dcinn_ivf_tno.main(["--data", str(tmp_path), "--output", str(tmp_path / "out.png")])
    assert "found 2 pairs" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ir", "vi"]


def test_tags_of_the_infrared_image_where_only_that_has_some(tmp_path):
    files = write(tmp_path / "vi/a.png", GRAY), write(tmp_path / "ir/a.tif", GRAY, [SCALES])
    out = fused(tmp_path, *files, output="one.tif")
    with tifffile.TiffFile(out) as file:
        assert file.pages.first.tags[33550].value == SCALES[3]


@pytest.mark.parametrize("name", ["one.jpg", "one.bmp", "one.JP2", "one.gif"])
def test_files_that_are_not_written(name, tmp_path, capsys):
    files = write(tmp_path / "vi/a.png", GRAY), write(tmp_path / "ir/a.png", GRAY)
    with pytest.raises(SystemExit) as stop:
        fused(tmp_path, *files, output=name)
    assert stop.value.code == 2
    assert "expected .png, .tif or a folder" in capsys.readouterr().err
    assert not (tmp_path / name).exists()
