"""What the peers are trained on: test images left out, bad ones where asked."""

import json

import cv2
import numpy as np
import pytest
from outputs import pairs
from torchvision import transforms

import train_peers
from data.patches.masked_views import soft_views, spoiled, two_views
from data.patches.single_images import JITTER, PairImages, Views, _crop
from data.samples import sample_pairs
from data.splits import split
from utils.training.arguments import TrainingArguments
from utils.training.peers import tasks as peer_tasks


def gray(path):
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (40, 40)).astype(np.uint8))


def train(method, folder, *options):
    return train_peers.main([method, "--output", str(folder), *map(str, options)])


def test_test_pairs_are_left_out_of_photographs_too(tmp_path, capsys):
    names = split("roadscene_50")[:2]
    for folder in ("train", "other/deep"):
        (tmp_path / folder).mkdir(parents=True)
    for name in (*names, "mine"):
        gray(tmp_path / f"other/deep/{name}.png")
        gray(tmp_path / f"train/{name}.png")
    options = ("--data", tmp_path / "other", "--patch", 32, "--steps", 1)
    train("auif", tmp_path / "run", *options)
    assert "1 samples from" in (said := capsys.readouterr().out)
    assert "(photographs), without 2 test images of CDDFuse" in said
    train("auif", tmp_path / "all", *options, "--keep-test-pairs")
    assert "3 samples from" in capsys.readouterr().out
    (tmp_path / "other/deep/mine.png").unlink()
    refused(capsys, "auif", *options, words="found only test images")
    (tmp_path / "train/mine.png").unlink()
    for kind in ("vi", "ir"):
        (tmp_path / "train" / kind).mkdir()
        (tmp_path / f"train/{names[0]}.png").rename(tmp_path / f"train/{kind}/{names[0]}.png")
        (tmp_path / f"train/{names[1]}.png").rename(tmp_path / f"train/{names[0]}.png") if kind == "vi" else None
    refused(capsys, "auif", "--data", tmp_path / "train", words="found only test pairs")


def refused(capsys, method, *options, words):
    with pytest.raises(SystemExit) as stop:
        train_peers.main([method, *map(str, options)])
    assert stop.value.code == 2
    assert words in capsys.readouterr().err


def test_bad_images_are_left_out_where_asked(tmp_path, capsys):
    pairs(tmp_path / "set", *"abc")
    (tmp_path / "set/ir/a.png").write_bytes(b"junk")
    for method in ("auif", "cddfuse"):
        options = ("--data", tmp_path / "set", "--patch", 32, "--steps", 1, "--batch", 1, "--output", tmp_path / method)
        refused(capsys, method, *options, words="a.png: found no readable image")
        train_peers.main([method, *map(str, options), "--skip-bad"])
        assert "left out:" in capsys.readouterr().out


def test_what_is_held_back_is_not_trained_on(tmp_path):
    pairs(tmp_path / "set", *"abc")
    args = TrainingArguments(data=tmp_path / "set", hold_back=1)
    images, held, _, _ = peer_tasks._single_images(args)
    assert [images[i][0] for i in range(len(images))] == ["a, visible", "a, infrared", "b, visible", "b, infrared"]
    assert [held[i][0] for i in range(len(held))] == ["c, visible", "c, infrared"]


def test_views_that_hide_nothing():
    images = PairImages(sample_pairs())
    released, mixed, whole = (Views(images, 224, share) for share in (0.0, 0.5, 1.0))

    def hide_nothing(views):
        found = [views.sample(i % 8, np.random.default_rng((1, i))) for i in range(24)]
        for sample in found:
            seen1, seen2 = (sample[name].astype(bool) for name in ("mask1", "mask2"))
            assert (seen1 | seen2).all()
            assert np.array_equal(*(np.where(seen1, sample[name], 0) for name in ("view1", "image")))
            assert np.array_equal(*(np.where(seen2, sample[name], 0) for name in ("view2", "image")))
        contrast = np.mean([sample["image"].std() for sample in found])
        return sum(bool(sample["mask1"].all() and sample["mask2"].all()) for sample in found), contrast

    (none, low), (half, _), (every, full) = map(hide_nothing, (released, mixed, whole))
    assert (none, every) == (0, 24)
    assert 6 < half < 18
    assert low < 0.6 * full, "jitter lowers brightness and contrast"


def test_views_that_spoil_what_they_hide():
    images = PairImages(sample_pairs())
    released, mixed, soft, whole = (Views(images, 224, *shares) for shares in ((0, 0), (0.25, 0.5), (0, 1), (1, 0)))
    kinds = []
    for views in (released, mixed, soft):
        found = [views.sample(i % 8, np.random.default_rng((2, i))) for i in range(24)]
        nothing = sum(bool((s["mask1"] == 1).all() and (s["mask2"] == 1).all()) for s in found)
        ramps = sum(bool(((s["mask1"] > 0) & (s["mask1"] < 1)).any()) for s in found)
        kinds.append((nothing, ramps, 24 - nothing - ramps))
    assert kinds[0] == (0, 0, 24)
    assert (kinds[2][0], kinds[2][1] > 20) == (0, True), "but for a view that shows all or nothing, masks have ramps"
    assert all(3 <= count <= most for count, most in zip(kinds[1], (10, 16, 10), strict=True))
    images = [views.sample(3, np.random.default_rng(7))["image"] for views in (soft, whole, released)]
    assert np.array_equal(images[0], images[1]), "no jitter"
    assert not np.array_equal(images[0], images[2])


def test_without_shares_views_are_as_released():
    images, rng, again = PairImages(sample_pairs()), np.random.default_rng(5), np.random.default_rng(5)
    found = Views(images, 224).sample(2, rng)
    crop = np.asarray(_crop(images[2][1], 224, again, transforms.ColorJitter(JITTER, JITTER, JITTER)).convert("RGB"))
    expected = two_views(np.moveaxis(crop, -1, 0) / np.float32(255), again)
    names = ("view1", "view2", "mask1", "mask2")
    assert all(np.array_equal(found[name], array) for name, array in zip(names, expected, strict=True))
    assert rng.random() == again.random(), "no more random numbers are drawn"


def test_a_spoiled_part_is_blurred_faded_and_of_any_brightness():
    image = np.random.default_rng(0).random((3, 224, 224)).astype(np.float32) * 0.5 + 0.25
    levels, edges = [], []
    for seed in range(20):
        view1, view2, *masks = soft_views(image, np.random.default_rng(seed))
        assert view1.shape == image.shape
        assert masks[0].shape == (1, 224, 224)
        assert {array.dtype for array in (view1, view2, *masks)} == {np.dtype(np.float32)}
        assert (np.maximum(*masks) == 1).all(), "one view at least shows a pixel whole"
        assert min(masks[0].min(), masks[1].min()) >= 0
        for seen, mask in zip((view1, view2), masks, strict=True):
            assert 0 <= seen.min() <= seen.max() <= 1
            assert np.allclose(np.where(mask == 1, seen - image, 0), 0, atol=1e-7)
            if (hidden := np.broadcast_to(mask == 0, image.shape)).sum() > 3000:
                levels.append(seen[hidden].mean())
                edges.append(np.abs(np.diff(seen, axis=2))[hidden[..., 1:]].mean())
    assert len(levels) > 20
    assert min(levels) < 0.2
    assert max(levels) > 0.8
    sharp = np.abs(np.diff(image, axis=2)).mean()
    assert max(edges) < 0.6 * sharp
    assert np.mean(edges) < 0.15 * sharp, "blurred, not faded alone: that would leave 0.3"


def test_a_spoiled_image_has_little_contrast_or_its_negatives():
    image = np.broadcast_to(np.linspace(0.3, 0.7, 64, dtype=np.float32), (3, 64, 64))
    found = [np.corrcoef(spoiled(image, np.random.default_rng(i))[0, 0], image[0, 0]) for i in range(30)]
    slopes = [spoiled(image, np.random.default_rng(i)).std() / image.std() for i in range(30)]
    assert {round(pair[0, 1]) for pair in found} == {-1, 1}
    assert 0.3 < max(slopes) < 0.61


def test_the_views_are_spoiled_each_in_its_own_way():
    black = np.zeros((3, 64, 64), np.float32)
    pairs = [soft_views(black, np.random.default_rng(seed))[:2] for seed in range(20)]
    levels = np.array([[seen.max() for seen in both] for both in pairs])
    assert np.corrcoef(levels.T)[0, 1] < 0.6
    assert np.abs(levels[:, 0] - levels[:, 1]).mean() > 0.15


@pytest.mark.parametrize("second", [False, True])
def test_training_and_validation_get_the_shares(second, monkeypatch, capsys):
    views, name = [], "ViewsAndPairs" if second else "Views"
    kept = getattr(peer_tasks, name)
    monkeypatch.setattr(peer_tasks, name, lambda *args, **shares: views.append(kept(*args, **shares)) or views[-1])
    monkeypatch.setattr(peer_tasks, "load_teacher", lambda file: None)
    monkeypatch.setattr(train_peers, "run", lambda name, args, recipe, prepare: prepare().source)
    stage = ("--teachers", "a.pth", "b.pth") if second else ()
    for options in ("", "--whole .25", "--soft .5"):
        train_peers.main(["defusion", *stage, *options.split()])
    shares = [(0, 0), (0, 0), (0.25, 0), (0.25, 0), (0, 0.5), (0, 0.5)]
    assert [(source.whole, source.soft) for source in views] == shares
    refused(capsys, "defusion", "--whole", 0.7, "--soft", 0.5, words="found 0.7 and 0.5, expected 1 together at most")


def test_a_run_names_its_shares(tmp_path):
    train("defusion", tmp_path, "--batch", 1, "--steps", 1, "--whole", 0.25, "--soft", 0.5, "--ema", 0.9)
    settings = json.loads((tmp_path / "run.json").read_text())["settings"]
    assert [settings[name] for name in ("whole", "soft", "ema", "cosines")] == [0.25, 0.5, 0.9, None]
