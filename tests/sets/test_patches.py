"""Training patches: what they hold, where they are from, and that they survive a prepared file."""

import h5py
import numpy as np
import pytest
import scipy.io

from data import CAVE, Harvard, PanCollection
from data.errors import DataError
from data.patches.h5 import H5Patches, write_patches
from data.patches.hyperspectral import SpectralPatches
from data.patches.pairs import PairCrops
from data.patches.pansharpening import PanPatches, PanScenePatches
from data.patches.training_images import training_scenes
from data.simulate import degrade_hsi, imresize, interp23, spectral_response, wald
from data.splits import split
from metrics.published import image_set
from utils import prepare
from utils.commandline.errors import single_line_errors
from utils.training.loader import Batches

RNG = np.random.default_rng(11)
SRF = spectral_response()


def scene(height=80, width=96, name="s"):
    return {"name": name, "gt": RNG.random((31, height, width)).astype(np.float32)}


def test_the_lists_of_test_images_are_those_of_the_published_tables():
    assert set(split("roadscene_50")) == set(image_set("roadscene_50"))
    assert set(split("cave_11")) == set(image_set("cave_11"))
    with pytest.raises(ValueError, match="found no list x, expected one of cave_11, roadscene_50"):
        split("x")


@pytest.mark.parametrize("ratio", [4, 8])
def test_spectral_patches_are_windows_of_the_degraded_scene(ratio):
    scenes = [scene(), scene(67, 70)]
    source = SpectralPatches(scenes, SRF, ratio, patch=32, stride=24)
    tops = [0, 24, 48]
    assert [p[1:] for p in source.places if p[0] == 0] == [(t, u) for t in tops for u in (0, 24, 48, 64)]
    assert all(t % ratio == 0 and u % ratio == 0 for s, t, u in source.places if s == 1)
    index = source.places.index((0, 24, 64))
    item = source.sample(index)
    gt = scenes[0]["gt"][:, 24:56, 64:96]
    assert np.abs(item["gt"] - gt).max() < 1 / 65535
    low = degrade_hsi(np.moveaxis(scenes[0]["gt"], 0, -1), ratio)[24 // ratio : 56 // ratio, 64 // ratio :]
    assert np.allclose(item["lr"], np.moveaxis(low, -1, 0), atol=1e-6)
    assert np.allclose(item["base_image"], np.moveaxis(imresize(low, ratio, "bilinear"), -1, 0), atol=1e-5)
    assert np.allclose(item["guide"], np.einsum("bc,bhw->chw", SRF, gt), atol=1e-4)
    assert all(item[k].dtype == np.float32 for k in ("gt", "base_image", "guide", "lr"))


def test_a_patch_does_not_depend_on_what_was_read_before(monkeypatch):
    scenes = [scene(40, 40, str(i)) for i in range(4)]
    monkeypatch.setattr("data.patches.hyperspectral.KEPT_SCENES", 2)
    source = SpectralPatches(scenes, SRF, 4, 32, 8)
    first = [source.sample(i)["gt"] for i in range(len(source))]
    assert len(source._kept) <= 2, "memory is bounded"
    again = [source.sample(i)["gt"] for i in reversed(range(len(source)))][::-1]
    assert all((a == b).all() for a, b in zip(first, again, strict=True))


def test_prepared_spectral_patches_read_back(tmp_path):
    source = SpectralPatches([scene()], SRF, 4, 32, 16)
    from data.patches.h5 import H5_KEYS

    write_patches(tmp_path / "t.h5", source, H5_KEYS, 1.0, {"ratio": 4})
    with h5py.File(tmp_path / "t.h5") as file:
        assert {k: file[k].shape[1:] for k in ("GT", "HSI_up", "LRHSI", "RGB")} == {
            "GT": (31, 32, 32),
            "HSI_up": (31, 32, 32),
            "LRHSI": (31, 8, 8),
            "RGB": (3, 32, 32),
        }
    again = H5Patches(tmp_path / "t.h5")
    assert (len(again), again.bands, again.guide_bands, again.ratio) == (len(source), 31, 3, 4)
    for i in (0, len(source) - 1):
        assert all((source.sample(i)[k] == again.sample(i)[k]).all() for k in ("gt", "base_image", "guide", "lr"))


def test_pan_patches_of_a_scene_and_of_its_prepared_file(tmp_path, capsys):
    ms, pan = RNG.integers(0, 2048, (48, 40, 4)), RNG.integers(0, 2048, (192, 160))
    scipy.io.savemat(tmp_path / "qb_s.mat", {"I_MS": ms, "I_PAN": pan})
    options = ["ps", "--data", tmp_path / "qb_s.mat", "--output", tmp_path / "train.h5", "--patch", 16, "--stride", 8]
    count = prepare.run([str(o) for o in options])
    assert f"{count} patches of 16x16" in capsys.readouterr().out
    file = PanCollection(tmp_path / "train.h5")
    assert (len(file), file.sensor, file.bits, file.ratio) == (count, "QB", 11, 4) == (20, "QB", 11, 4)
    low = wald(ms / 2047, pan / 2047, sensor="QB")
    source = PanPatches(file)
    index = 6  # the second row: top 8, left 16
    item = source.sample(index)
    assert np.allclose(item["gt"], np.moveaxis(ms[8:24, 16:32] / 2047, -1, 0), atol=1e-6)
    assert np.allclose(item["guide"][0], low["pan"][8:24, 16:32], atol=1e-5)
    lms = interp23(low["ms"][2:6, 4:8])
    assert np.allclose(item["base_image"], np.moveaxis(lms, -1, 0), atol=1e-5)
    direct = PanScenePatches(np.moveaxis(ms, -1, 0) / 2047, pan / 2047, sensor="QB", patch=16, stride=8)
    assert len(direct) == count
    assert np.allclose(direct.sample(index)["base_image"], item["base_image"], atol=1e-6)


def test_prepare_from_cave_leaves_out_the_test_scenes(tmp_path):
    import cv2

    for name in ("hairs", "sponges"):
        (tmp_path / "cave" / f"{name}_ms").mkdir(parents=True)
        for band in range(1, 32):
            image = RNG.integers(0, 65536, (40, 40)).astype(np.uint16)
            cv2.imwrite(str(tmp_path / f"cave/{name}_ms/{name}_ms_{band:02d}.png"), image)
    scenes, label = training_scenes(tmp_path / "cave", None, None)
    assert [scenes[i]["name"] for i in range(len(scenes))] == ["sponges"]
    assert "1 scenes" in label
    options = ["hmf", "--data", tmp_path / "cave", "--output", tmp_path / "t.h5", "--patch", 32, "--stride", 8]
    assert prepare.run([str(o) for o in options]) == 4
    gt = CAVE(tmp_path / "cave", ("sponges",))[0]["gt"]
    assert np.abs(H5Patches(tmp_path / "t.h5").sample(3)["gt"] - gt[:, 8:, 8:]).max() < 1e-6


def test_prepare_says_what_does_not_fit(tmp_path, capsys):
    scipy.io.savemat(tmp_path / "s.mat", {"ms": np.full((40, 40, 4), 90), "pan": np.full((160, 160), 80)})
    base = ["ps", "--data", tmp_path / "s.mat", "--output", tmp_path / "t.h5"]
    for extra, message in (
        (["--patch", 30], "found patch 30 and stride 32, expected multiples of the ratio 4"),
        (["--patch", 64], "found 40x40 reduced pixels, expected at least a patch of 64"),
        (["--output", tmp_path / "no/t.h5"], "found no such folder"),
        (["--output", tmp_path / "s.mat"], "expected a new file"),
    ):
        with pytest.raises(SystemExit) as stop:
            single_line_errors(prepare.run, program="python -m data")([str(o) for o in base + extra])
        assert stop.value.code == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["s.mat"], "nothing half written"


def test_crops_are_the_same_window_of_both_and_move():
    both = RNG.random((1, 50, 60)).astype(np.float32)
    source = PairCrops([{"name": "p", "visible": both, "infrared": both + 1}], 16)
    crops = [source.sample(0, np.random.default_rng(i)) for i in range(20)]
    assert all((c["guide"] == c["base_image"] + 1).all() for c in crops)
    assert len({c["base_image"].tobytes() for c in crops}) > 10
    again = source.sample(0, np.random.default_rng(3))
    assert (again["base_image"] == crops[3]["base_image"]).all()
    whole = PairCrops([{"name": "p", "visible": both[:, :16, :16], "infrared": both[:, :16, :16]}], 16)
    assert whole.sample(0, np.random.default_rng(0))["guide"].shape == (1, 16, 16)
    with pytest.raises(DataError, match=r"p: found 50x60 pixels, expected at least a crop of 51"):
        PairCrops([{"name": "p", "visible": both, "infrared": both}], 51).sample(0, np.random.default_rng(0))


@pytest.mark.parametrize("workers", [0, 2])
def test_order_and_crops_depend_on_seed_and_epoch_alone(workers):
    images = [RNG.random((1, 40, 40)).astype(np.float32) for _ in range(7)]
    source = PairCrops([{"name": str(i), "visible": x, "infrared": x} for i, x in enumerate(images)], 16)
    plain = Batches(source, 2, seed=5)
    assert len(plain) == 3
    whole = [b["base_image"] for b in plain.epoch(1)]
    other = Batches(source, 2, seed=5, workers=workers)
    assert all((a == b["base_image"]).all() for a, b in zip(whole[1:], other.epoch(1, first=1), strict=True))
    first, second, other = (np.concatenate(plain.order(epoch)) for epoch in (0, 1, 3))
    assert (first != second).any()
    assert len(set(other)) == len(other) == 6, "no sample twice"
    assert Batches(source, 99, seed=5).batch == 7, "a set smaller than a batch"


def test_harvard(tmp_path):
    cube = RNG.random((1002, 1003, 31)).astype(np.float32) * 0.4
    mask = np.ones((1002, 1003))
    mask[5, 6] = 0
    scipy.io.savemat(tmp_path / "imga1.mat", {"ref": cube, "lbl": mask})
    item = Harvard(tmp_path)[0]
    assert (item["name"], item["gt"].shape, item["gt"].dtype) == ("imga1", (31, 1000, 1000), np.float32)
    assert (item["gt"][3] == cube[:1000, :1000, 3]).all()
    assert not item["mask"][5, 6]
    assert item["mask"].sum() == 10**6 - 1
    scipy.io.savemat(tmp_path / "whole.mat", {"ref": (cube[:1000, :1000] * 65535).astype(np.uint16)})
    assert np.abs(Harvard(tmp_path, ("whole",))[0]["gt"][3] - item["gt"][3]).max() < 2 / 65535


def spiked(value):
    """A scene in [0, 1] but for one pixel."""
    cube = np.full((1000, 1000, 31), 0.5, np.float32)
    cube[1, 2, 3] = value
    return cube


def test_one_bright_pixel_does_not_make_a_scene_of_harvard_black(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"ref": spiked(1.003)})
    gt = Harvard(tmp_path)[0]["gt"]
    assert gt[0, 0, 0] == 0.5
    assert gt[3, 1, 2] == gt.max() == 1


def test_the_depth_of_harvard_can_be_declared(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"ref": np.full((1000, 1000, 31), 2000, np.uint16)})
    assert np.allclose(Harvard(tmp_path, bits=12)[0]["gt"], 2000 / 4095)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"x": np.ones((4, 4))}, "found the keys x, expected ref"),
        ({"ref": np.ones((4, 4, 31))}, r"ref, float64 of shape \(4, 4, 31\), expected .*at least 1000"),
        ({"ref": np.full((1000, 1000, 31), np.nan, np.float32)}, "NaN or infinity in ref"),
        ({"ref": np.full((1000, 1000, 31), -1, np.int8)}, "values from -1 to -1"),
        (
            {"ref": np.full((1000, 1000, 31), 4000, np.uint16)},
            "values up to 4000, expected 16 bits, 16384 or more among them, or --bits",
        ),
        ({"ref": spiked(7.0)}, "floats up to 7, most of them at most 1, expected .*--bits"),
    ],
)
def test_harvard_that_does_not_fit(content, message, tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", content)
    with pytest.raises(DataError, match=message):
        Harvard(tmp_path)[0]


def test_h5_patches_that_do_not_fit(tmp_path):
    good = {"GT": (3, 31, 32, 32), "HSI_up": (3, 31, 32, 32), "LRHSI": (3, 31, 8, 8), "RGB": (3, 3, 32, 32)}
    for change, message in (
        ({"RGB": None}, "no RGB, expected the keys GT"),
        ({"RGB": (2, 3, 32, 32)}, "expected .N, C, H, W., HSI_up as GT"),
        ({"HSI_up": (3, 31, 16, 16)}, "HSI_up .3, 31, 16, 16."),
    ):
        with h5py.File(tmp_path / "t.h5", "w") as file:
            for key, shape in (good | change).items():
                if shape:
                    file[key] = np.zeros(shape, np.float32)
        with pytest.raises(DataError, match=message):
            H5Patches(tmp_path / "t.h5")
    with h5py.File(tmp_path / "t.h5", "w") as file:
        for key, shape in good.items():
            file[key] = np.zeros(shape, np.float32)
        file["GT"][1, 4, 5, 6] = np.nan
        file["RGB"][2, 0] = 200
    source = H5Patches(tmp_path / "t.h5")
    with pytest.raises(DataError, match=r"t.h5: GT\[1\]: found NaN"):
        source.sample(1)
    with pytest.raises(DataError, match=r"t.h5: RGB\[2\]: found values from 0 to 200"):
        source.sample(2)
