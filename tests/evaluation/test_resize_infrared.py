"""Infrared images of other sizes: resampled on request where one factor makes them fit, else sent to a registration."""

import cv2
import numpy as np
import pytest
import tifffile
from outputs import ended, one_line
from PIL import Image

import test_dcinn_ivf_tno
from data import PairedImages
from data.errors import DataError
from data.files.resize import plain_factor
from utils.evaluation import score

RNG = np.random.default_rng(0)
SMOOTH = cv2.GaussianBlur(RNG.random((48, 64)), (0, 0), 4)
SCENE = (np.clip((SMOOTH - SMOOTH.min()) / np.ptp(SMOOTH), 0, 1) * 255).astype(np.uint8)


def pair(folder, infrared):
    for kind, image in (("vi", np.dstack([SCENE, SCENE // 2, SCENE // 3])), ("ir", infrared)):
        (folder / kind).mkdir(parents=True)
        Image.fromarray(image).save(folder / kind / "a.png")
    return folder


@pytest.mark.parametrize("sides", [(12, 16), (24, 32), (36, 48), (96, 128)])
def test_a_plain_factor_is_resampled_on_request_and_said(sides, tmp_path, capsys):
    data = pair(tmp_path / "set", cv2.resize(SCENE, sides[::-1], interpolation=cv2.INTER_AREA))
    run = ("--data", str(data), "--weights", "untrained", "--output", str(tmp_path / "out"))
    test_dcinn_ivf_tno.main([*run, "--resize-infrared"])
    said = f"infrared: resized from {sides[0]}x{sides[1]} to 48x64 ("
    assert said in capsys.readouterr().out, "on the terminal"
    assert said in (tmp_path / "out/metrics.md").read_text()
    assert cv2.imread(str(tmp_path / "out/fused/a.png")).shape[:2] == (48, 64)
    item = PairedImages(data, resize_infrared=True)[0]
    assert item["infrared"].dtype == np.float32
    assert 0 <= item["infrared"].min() < item["infrared"].max() <= 1
    assert np.abs(item["infrared"][0] * 255 - SCENE).max() < 24, "the same field of view, not shifted"
    found = score.run(["--task", "ivf", "--data", str(data), "--fused", str(data / "vi"), "--resize-infrared"])
    assert any(said in remark for remark in found["tables"][0]["remarks"])


def test_colour_of_the_infrared_side_comes_along(tmp_path):
    pair(tmp_path, np.dstack([SCENE[::2, ::2]] * 2 + [SCENE[::2, ::2] // 2]))
    (tmp_path / "vi").rename(tmp_path / "MRI")
    (tmp_path / "ir").rename(tmp_path / "PET")
    item = PairedImages(tmp_path, resize_infrared=True)[0]
    assert item["coloured"] == "infrared"
    assert item["colour"].shape == (3, 48, 64)


def test_it_is_off_unless_asked_for(tmp_path, capfd):
    data = pair(tmp_path / "set", SCENE[::2, ::2])
    run = ("--data", data, "--output", tmp_path / "out")
    ended(test_dcinn_ivf_tno.main, *run)
    line = one_line(capfd)
    assert "a.png: found 24x32 pixels, expected 48x64 pixels of its partner" in line
    assert "--resize-infrared if both show the same field of view" in line
    with pytest.raises(DataError) as stop:
        PairedImages(data)[0]
    assert "--resize" not in str(stop.value), "no option of the caller's"
    assert "registered" in str(stop.value)


@pytest.mark.parametrize("asked", [(), ("--resize-infrared",)])
def test_another_aspect_is_sent_to_a_registration(asked, tmp_path, capfd):
    run = ("--data", pair(tmp_path / "set", SCENE[:40, :60]), "--output", tmp_path / "out", *asked)
    ended(test_dcinn_ivf_tno.main, *run)
    line = one_line(capfd)
    assert "found 40x60 pixels" in line
    assert "registered onto each other first (by OpenCV's findTransformECC, SimpleITK or elastix)" in line
    assert "--resize-infrared" not in line


def test_what_a_plain_factor_is():
    assert plain_factor((12, 16), (48, 64)) == 4
    assert plain_factor((512, 640), (1024, 1280)) == 2
    assert plain_factor((48, 64), (36, 48)) * 4 == 3
    assert plain_factor((12, 16), (12, 16)) is None
    assert plain_factor((12, 16), (16, 12)) is None
    assert plain_factor((12, 16), (48, 65)) is None


def test_a_resampled_infrared_tiff_gives_no_georeference(tmp_path):
    """Its tags place pixels that are no longer there; the fused image would lie wrong on the ground."""
    rng = np.random.default_rng(5)
    for kind, sides in (("vi", (64, 96)), ("ir", (32, 48))):
        (tmp_path / kind).mkdir()
        image = rng.integers(0, 256, sides).astype(np.uint8)
        tags = [(33550, "d", 3, (1.0, 1.0, 0.0), True), (33922, "d", 6, (0.0, 0.0, 0.0, 5.0, 9.0, 0.0), True)]
        if kind == "ir":
            tifffile.imwrite(tmp_path / kind / "a.tif", image, extratags=tags)
        else:
            cv2.imwrite(str(tmp_path / kind / "a.png"), image)
    plain = PairedImages(tmp_path, resize_infrared=True)[0]
    assert plain["storage"].path is None or plain["storage"].path.suffix == ".png"
    assert any("georeference is left out" in note for note in plain["notes"])
