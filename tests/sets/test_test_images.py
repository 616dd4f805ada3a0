"""Test images that somebody copied or renamed are not trained on, and what is held back is not trained on unsaid."""

import csv
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from data import DataError
from data.hyperspectral import CAVE_TEST
from data.patches.training_images import training_pairs, training_scenes
from data.splits import split
from utils.training.arguments import TrainingArguments

ROOT = Path(__file__).resolve().parents[2]


def listed(name):
    """The rows of a set in data/splits/test_images.csv."""
    with (ROOT / "data/splits/test_images.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["set"] == name]


def alike(row, top=255):
    """An image of the size and the means of a test image: what is known of it."""
    height, width = int(row["height"]), int(row["width"])
    means = np.array(list(bytes.fromhex(row["means"])), float).reshape(8, 8)
    rows, columns = (np.diff([side * i // 8 for i in range(9)]) for side in (height, width))
    values = means.repeat(rows, 0).repeat(columns, 1) / 255 * top
    return np.rint(values).astype(np.uint8 if top < 256 else np.uint16)


def others(shape, seed):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


@pytest.fixture
def photographs(tmp_path):
    row = listed("roadscene_50")[0]
    image = alike(row)
    noise = np.random.default_rng(0).normal(0, 8, image.shape)  # as a lossy copy has it, the means stay
    saved = {
        "copy.png": image,
        "sub/copy.jpg": np.clip(image + noise, 0, 255).astype(np.uint8),
        "deep.tif": image.astype(np.uint16) * 257,
        "other.png": others(image.shape, 1),
        "brighter.png": np.clip(image.astype(int) + 4, 0, 255).astype(np.uint8),
        "cropped.png": image[:-1],
        "colour.png": np.stack([image] * 3, -1),
    }
    (tmp_path / "photos/sub").mkdir(parents=True)
    for name, pixels in saved.items():
        cv2.imwrite(str(tmp_path / "photos" / name), pixels)
    (tmp_path / "photos/damaged.png").write_bytes((tmp_path / "photos/copy.png").read_bytes()[:200])
    return tmp_path / "photos"


def test_copies_of_test_images_are_left_out_and_named(photographs):
    from data.patches.training_images import training_photographs

    images, label = training_photographs(photographs, keep_test_pairs=False)
    assert [file.name for file in images.files] == ["brighter.png", "cropped.png", "damaged.png", "other.png"]
    assert "without 4 more that show test images (colour.png is roadscene_50/FLIR_00211; copy.png is" in label
    images, label = training_photographs(photographs, keep_test_pairs=True)
    assert len(images) == 8
    assert "without" not in label


def test_a_folder_of_test_images_alone_is_refused(photographs):
    from data.patches.training_images import training_photographs

    for name in ("brighter", "cropped", "damaged", "other"):
        (photographs / f"{name}.png").unlink()
    with pytest.raises(DataError, match="only test images, expected others to train on, or --keep-test-pairs"):
        training_photographs(photographs, keep_test_pairs=False)


def test_pairs_of_which_either_image_is_known(tmp_path):
    visible, infrared = listed("roadscene_50")[:2]
    shape = (int(visible["height"]), int(visible["width"]))
    for kind in ("vi", "ir"):
        (tmp_path / kind).mkdir()
        for seed, name in enumerate(("keep", "seen_visible", "seen_infrared", split("roadscene_50")[4])):
            cv2.imwrite(str(tmp_path / kind / f"{name}.png"), others(shape, seed))
    cv2.imwrite(str(tmp_path / "vi/seen_visible.png"), alike(visible))
    cv2.imwrite(str(tmp_path / "ir/seen_infrared.png"), alike(infrared))
    pairs, label = training_pairs(tmp_path, keep_test_pairs=False)
    assert [v.stem for v, _ in pairs.pairs] == ["keep"]
    assert "without 1 test pairs of CDDFuse, without 2 more that show test images" in label
    pairs, label = training_pairs(tmp_path, keep_test_pairs=True)
    assert len(pairs) == 4
    assert label == str(tmp_path)


@pytest.mark.parametrize(("bits", "kept"), [(16, None), (12, 12)])
def test_a_renamed_scene_of_cave(bits, kept, tmp_path):
    row = listed("cave_11")[3]
    known = alike(row, 2**bits - 1)
    for scene in ("renamed", "mine"):
        (tmp_path / f"{scene}_ms").mkdir()
        for band in range(1, 32):
            image = known if scene == "renamed" and band == 16 else known.T * (band / 31)
            cv2.imwrite(str(tmp_path / f"{scene}_ms" / f"{scene}_ms_{band:02d}.png"), image.astype(np.uint16))
    scenes, label = training_scenes(tmp_path, None, kept)
    assert scenes.scenes == ("mine",)
    assert f"without 1 more that shows a test image (renamed is cave_11/{row['name']})" in label
    assert training_scenes(tmp_path, ["renamed"], kept)[0].scenes == ("renamed",), "asked for by name"


def test_the_list_is_of_the_sets():
    assert {row["name"] for row in listed("roadscene_50")} == set(split("roadscene_50"))
    assert [row["name"] for row in listed("cave_11")] == list(CAVE_TEST)
    assert [len(listed(name)) for name in ("roadscene_50", "tno_25", "tno_8", "mri_ct_21")] == [100, 50, 16, 42]
    flat = [row for name in ("roadscene_50", "tno_25") for row in listed(name) if len(set(row["means"])) < 4]
    assert not flat, "a plain image would be taken for one"


def test_what_is_held_back_and_trained_on_is_said(tmp_path):
    import train_dcinn_ivf_tno
    from utils.training.infrared_visible import infrared_visible

    for kind, seed in (("vi", 0), ("ir", 10)):
        (tmp_path / kind).mkdir()
        for number in range(4):
            cv2.imwrite(str(tmp_path / kind / f"{number}.png"), others((160, 160), seed + number))
    recipe = train_dcinn_ivf_tno.RECIPES["released"]
    apart = infrared_visible(TrainingArguments(data=tmp_path, hold_back=1), recipe)
    assert apart.validation_label == "1 pair held back"
    shutil.copy(tmp_path / "vi/1.png", tmp_path / "vi/3.png")
    both = infrared_visible(TrainingArguments(data=tmp_path, hold_back=1), recipe)
    assert "1 file of it is TRAINED ON as well, the same to the byte (vi/3.png is vi/1.png)" in both.validation_label


@pytest.mark.slow
def test_the_real_ones_as_other_files(shared, tmp_path):
    from data.splits.test_images import known_name

    for name, place in (("roadscene_50", "cddfuse_test/RoadScene"), ("tno_25", "cddfuse_test/TNO")):
        for file in sorted(shared(f"datasets/{place}").rglob("*.*")):
            pixels = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
            for suffix, options in (("png", []), ("jpg", [cv2.IMWRITE_JPEG_QUALITY, 75])):
                cv2.imwrite(str(tmp_path / f"x.{suffix}"), pixels, options)
                assert known_name(tmp_path / f"x.{suffix}").endswith(file.stem), name
    train = sorted(shared("datasets/roadscene").rglob("*.jpg"))
    assert {f.stem for f in train if known_name(f)} == set(split("roadscene_50"))


def test_scenes_that_are_held_back_and_trained_on(tmp_path):
    from data import CAVE
    from data.patches.twins import files_of, twins

    for scene, seed in (("a", 1), ("b", 2), ("c", 1)):
        (tmp_path / scene).mkdir()
        for band in range(1, 32):
            cv2.imwrite(str(tmp_path / scene / f"{band:02d}.png"), others((16, 16), seed))
    cave = CAVE(tmp_path, bits=8)
    assert twins(files_of(cave, [1]), files_of(cave, [2])) == ""
    assert "1 file of it is TRAINED ON" in twins(files_of(cave, [0, 1]), files_of(cave, [2]))
