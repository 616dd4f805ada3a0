"""Multi-focus and multi-exposure pairs: what is read, what is fused, what is refused."""

import json

import cv2
import numpy as np
import pytest
import torch
from outputs import ended, one_line

import test_peers
from data.photograph_pairs import KINDS, PhotographPairs
from data.samples.photographs import sample_photograph_pairs
from metrics import psnr
from models import save_checkpoint
from models.peers import build_peer

RNG = np.random.default_rng(5)


def photograph(path, value=None, shape=(40, 48, 3)):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = RNG.integers(0, 256, shape) if value is None else np.full(shape, value)
    path.write_bytes(cv2.imencode(path.suffix, image.astype(np.uint8)[..., ::-1])[1].tobytes())
    return image.astype(np.float32).transpose(2, 0, 1) / 255


def test_pairs_by_their_names(tmp_path):
    first, second = (photograph(tmp_path / f"lytro-01-{part}.png") for part in "AB")
    photograph(tmp_path / "c_02_2.tif")
    photograph(tmp_path / "c_02_1.tif")
    pairs = PhotographPairs("multifocus", tmp_path)
    assert [p["name"] for p in pairs] == ["c_02", "lytro-01"]
    assert [f.name for f in pairs.pairs[0][1]] == ["c_02_1.tif", "c_02_2.tif"]
    assert np.allclose(pairs[1]["first"], first, atol=1e-7)
    assert np.allclose(pairs[1]["second"], second, atol=1e-7)


def test_the_darkest_and_the_brightest_of_a_series(tmp_path):
    for name, value in (("1", 90), ("2", 20), ("3", 240), ("4", 130)):
        photograph(tmp_path / "house" / f"{name}.png", value)
    pair = PhotographPairs("multiexposure", tmp_path)[0]
    assert pair["name"] == "house"
    assert [float(pair[key].mean()) * 255 for key in ("first", "second")] == pytest.approx([20, 240])
    photograph(tmp_path / "tree/b.png", 10)
    photograph(tmp_path / "tree/a.png", 200)
    assert PhotographPairs("multiexposure", tmp_path)[1]["first"].mean() > 0.7  # of two, the order of the names


def test_two_folders_and_a_gray_image_among_them(tmp_path):
    colour = photograph(tmp_path / "near/x.png")
    photograph(tmp_path / "far/x.png", 77)  # three equal channels
    pair = PhotographPairs("multifocus", first=tmp_path / "near", second=tmp_path / "far")[0]
    assert np.allclose(pair["first"], colour, atol=1e-7)
    assert pair["second"].shape == colour.shape
    assert np.allclose(pair["second"] * 255, 77)
    gray = PhotographPairs("multifocus", first=tmp_path / "far/x.png", second=tmp_path / "far/x.png")[0]
    assert gray["first"].shape == (1, 40, 48)


@pytest.mark.parametrize("kind", KINDS)
def test_the_made_pairs(kind):
    for pair in sample_photograph_pairs(kind):
        first, second, image = (pair[key] for key in ("first", "second", "reference"))
        assert first.dtype == image.dtype == np.float32
        assert first.shape == second.shape == image.shape
        if kind == "multifocus":  # each is the photograph on its side, and worse on the other
            left, right = (slice(None), slice(None), slice(0, 60)), (slice(None), slice(None), slice(-60, None))
            assert np.array_equal(first[left], image[left])
            assert np.array_equal(second[right], image[right])
            assert not np.allclose(first[right], image[right], atol=0.05)
        else:
            assert first.mean() < image.mean() < second.mean()
            assert (second == 1).mean() > 2 * (image == 1).mean()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("weights") / "w.pth"
    save_checkpoint(file, build_peer("defusion", {}))
    return file


def test_from_files_to_files(weights, tmp_path, capsys):
    first, second = (photograph(tmp_path / f"set/a-{part}.png") for part in "AB")
    options = ["multifocus", "--data", tmp_path / "set", "--weights", weights, "--output", tmp_path / "out"]
    result = test_peers.main([str(o) for o in options])
    model = build_peer("defusion", {})
    model.load_state_dict(torch.load(weights, weights_only=True)["model"])
    with torch.inference_mode():
        fused = model.eval()(*(torch.from_numpy(x)[None] for x in (first, second)))[0].numpy()
    written = cv2.imread(str(tmp_path / "out/fused/a.png"))[..., ::-1].transpose(2, 0, 1)
    assert np.array_equal(written, np.rint(fused * 255))
    assert (tmp_path / "out/comparison.png").is_file()
    assert [t["title"].split(",")[0] for t in result["tables"]] == ["Multi-focus fusion"] * 2
    assert "DeFusion++ (w)" in capsys.readouterr().out


def test_the_default_says_how_near_it_comes(weights, tmp_path, capsys):
    options = ["multiexposure", "--weights", str(weights), "--limit", "1", "--output", str(tmp_path / "out")]
    test_peers.main(options)
    said = capsys.readouterr().out
    assert "Mean PSNR to the photograph that the pairs are made from: DeFusion++ (w)" in said
    pair = sample_photograph_pairs("multiexposure")[0]
    for key in ("first", "second"):
        both = (np.moveaxis(pair[name], 0, -1).astype(float) for name in (key, "reference"))
        assert f"{key} {psnr(*both):.2f} dB" in said
    assert "Embedded sample" in said
    tables = json.loads((tmp_path / "out/metrics.json").read_text())["tables"]
    assert [t["task"] for t in tables] == ["ivf_multiexposure"] * 2


def lone(folder):
    photograph(folder / "a-A.png")
    return folder


def twice(folder):
    photograph(folder / "a-A.jpg")
    return lone(folder)


def unequal(folder):
    photograph(folder / "a-A.png")
    photograph(folder / "a-B.png", shape=(48, 40, 3))
    return folder


def series(folder):
    for name in "abc":
        photograph(folder / f"house/{name}.png")
    return folder


def nameless(folder):
    photograph(folder / "left.png")
    return folder


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (lambda t: ("--data", lone(t)), ("set: found a-A.png, expected two images of this name",)),
        (lambda t: ("--data", unequal(t)), ("a-B.png: found 48x40 pixels, expected 40x48",)),
        (lambda t: ("--data", series(t)), ("house: found 3 images, expected two",)),
        (lambda t: ("--data", lone(lone(t / "x").parent)), ("a-A.png beside the folder x, expected either",)),
        (lambda t: ("--data", twice(t)), ("found a-A.jpg, a-A.png, expected two images",)),
        (lambda t: ("--data", nameless(t)), ("left.png: found a name without -A",)),
        (lambda t: ("--data", t / "none"), ("none: found no such folder",)),
        (lambda t: ("--first", lone(t)), ("--first, --second: found one of them",)),
        (lambda t: ("--first", lone(t) / "a-A.png", "--second", t), ("found a folder, expected a file",)),
        (
            lambda t: ("--first", lone(t), "--second", series(t) / "house"),
            ("found no partner, expected an image named a",),
        ),
        (lambda t: ("--first", lone(t) / "a-A.png", "--second", t / "b.png"), ("b.png: found no such file",)),
    ],
)
def test_what_cannot_be_fused(options, words, tmp_path, capfd):
    (tmp_path / "set").mkdir()
    more = ("--weights", "untrained", "--output", tmp_path / "out")
    ended(test_peers.main, "multifocus", *options(tmp_path / "set"), *more)
    line = one_line(capfd)
    assert all(word in line for word in words), line
    assert not (tmp_path / "out").exists()
