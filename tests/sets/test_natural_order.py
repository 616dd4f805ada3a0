"""Names are in the order that people count in (1, 2, 10) wherever folders are read; trainings draw as they did."""

import json

import cv2
import numpy as np
import pytest
from outputs import pairs

import test_dcinn_ivf_tno
from data import CAVE, PairedImages
from data.files.band_images import Cubes
from data.files.folders import natural
from data.patches.training_images import training_pairs, training_scenes
from data.photograph_pairs import PhotographPairs
from utils.evaluation import score

COUNTED = [str(number) for number in range(1, 13)]
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "names",
    [COUNTED, ["a2", "a010", "a10", "b1"], ["2", "10a", "²"], ["x-2-1", "x-2-10", "x-10-1"], ["", "1", "frame"]],
)
def test_as_people_count(names):
    assert sorted(sorted(names), key=natural) == names


def test_pairs_and_their_table(tmp_path):
    folder = pairs(tmp_path / "set", *COUNTED)
    assert [item["name"] for item in PairedImages(folder)] == COUNTED
    for file in (folder / "ir").iterdir():
        file.rename(file.with_name(f"IR{file.name}"))
    assert [item["name"] for item in PairedImages(folder)] == COUNTED
    run = ("--data", folder, "--weights", "untrained", "--limit", 3, "--output", tmp_path / "out")
    test_dcinn_ivf_tno.main([str(option) for option in run])
    images = json.loads((tmp_path / "out/metrics.json").read_text())["tables"][0]["images"]
    assert images == ["1", "2", "3"], "the first three"
    assert sorted(p.name for p in (tmp_path / "out/fused").iterdir()) == ["1.png", "2.png", "3.png"]
    rows = [line.split(",")[1] for line in (tmp_path / "out/metrics.csv").read_text().splitlines()[1:]]
    assert list(dict.fromkeys(rows)) == images
    found = score.run(["--task", "ivf", "--data", str(folder), "--fused", str(folder / "vi")])
    assert found["tables"][0]["images"] == COUNTED


def test_photographs(tmp_path):
    for name in COUNTED:
        for mark in "AB":
            cv2.imwrite(str(tmp_path / f"{name}-{mark}.png"), RNG.integers(0, 255, (9, 9)).astype(np.uint8))
    assert [name for name, _ in PhotographPairs("multifocus", tmp_path).pairs] == COUNTED
    for number in COUNTED:
        (tmp_path / f"s/scene {number}").mkdir(parents=True)
        for mark in ("9", "10"):
            cv2.imwrite(str(tmp_path / f"s/scene {number}/{mark}.png"), np.zeros((9, 9), np.uint8))
    found = PhotographPairs("multifocus", tmp_path / "s").pairs
    assert [name for name, _ in found] == [f"scene {number}" for number in COUNTED]
    assert [file.name for file in found[0][1]] == ["9.png", "10.png"]


def cave(folder, names):
    for number, name in enumerate(names, 1):
        (folder / name).mkdir(parents=True)
        for band in range(1, 32):
            cv2.imwrite(str(folder / name / f"{band}.png"), np.full((8, 8), 5000 * number + band, np.uint16))
    return folder


def test_scenes_bands_and_fused_files_agree(tmp_path):
    folder = cave(tmp_path / "cave", [f"scene{number}" for number in COUNTED])
    scenes = CAVE(folder)
    assert list(scenes.scenes) == [f"scene{number}" for number in COUNTED]
    assert [round(float(v) * 65535) for v in scenes[9]["gt"][:, 0, 0]] == [50000 + b for b in range(1, 32)]
    for number, scene in enumerate(scenes, 1):  # named otherwise: matched by their order
        (tmp_path / "fused").mkdir(exist_ok=True)
        np.save(tmp_path / f"fused/out{number}.npy", np.moveaxis(scene["gt"], 0, -1) * 65535)
    assert [f.name for f in Cubes(tmp_path / "fused").files] == [f"out{number}.npy" for number in COUNTED]
    run = ("--task", "hmf", "--data", folder, "--fused", tmp_path / "fused", "--name", "m")
    table = score.run([str(option) for option in run])["tables"][0]
    assert table["images"] == list(scenes.scenes)
    assert min(value if value != "inf" else 200 for value in table["values"]["m"]["PSNR"]) > 100


def test_trainings_draw_in_the_order_they_always_had(tmp_path):
    folder = pairs(tmp_path / "set", *COUNTED)
    found, _ = training_pairs(folder, keep_test_pairs=False)
    assert [visible.stem for visible, _ in found.pairs] == sorted(COUNTED)
    scenes, _ = training_scenes(cave(tmp_path / "cave", COUNTED), None, 16)
    assert list(scenes.scenes) == sorted(COUNTED)
