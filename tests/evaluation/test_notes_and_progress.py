"""What a user should hear before the work is done, or beside the table: doubts, progress, no measuring."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from outputs import ended, ivf, one_line, pairs
from scipy.io import savemat

import test_dcinn_hmf
import test_dcinn_ivf_tno
import test_dcinn_ps
from data import PairedImages
from models import dcinn_ivf
from utils.evaluation import cube_weights, evaluation
from utils.tiling import Tiling, fuse
from utils.training.validation_split import validation_label

RNG = np.random.default_rng(0)


def gray_png(path, *shape):
    path.write_bytes(cv2.imencode(".png", np.full(shape, 80, np.uint8))[1].tobytes())


def test_the_last_pair_is_looked_at_before_the_first_is_fused(tmp_path, capfd, monkeypatch):
    def fused(*_):
        raise AssertionError("fused before the pairs were read")

    monkeypatch.setattr(evaluation, "fuse", fused)
    options = ivf(tmp_path)
    gray_png(tmp_path / "set/ir/b.png", 32, 40)
    ended(test_dcinn_ivf_tno.main, *options)
    line = one_line(capfd)
    assert "b.png" in line
    assert "32x40" in line


def test_the_last_scene_is_looked_at_before_the_first_is_fused(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(evaluation, "fuse", lambda *_: pytest.fail("fused before the scenes were read"))
    ms, pan = RNG.integers(1, 2000, (3, 4, 32, 32)).astype(float), RNG.integers(1, 2000, (3, 1, 128, 128)).astype(float)
    ms[2, 0, 0, 0] = np.nan
    savemat(tmp_path / "a.mat", {"ms": ms, "pan": pan})
    ended(test_dcinn_ps.main, "--data", tmp_path / "a.mat", "--weights", "untrained", "--output", tmp_path / "out")
    assert "ms[2]: found NaN" in one_line(capfd)


@pytest.mark.parametrize(
    ("visible", "infrared", "doubts"),
    [("ir", "vi", 2), ("CT", "MRI", 2), ("vi", "ir", 0), ("MRI", "PET", 0), ("a", "b", 0), ("a", "Visible", 1)],
)
def test_folders_that_look_swapped(visible, infrared, doubts, tmp_path):
    pairs(tmp_path / "set")
    paths = [
        shutil.move(tmp_path / f"set/{kind}", tmp_path / name) for kind, name in (("vi", visible), ("ir", infrared))
    ]
    for a, b in (paths, [f"{path}/a.png" for path in paths]):
        notes = PairedImages(visible=a, infrared=b)[0]["notes"]
        assert sum("are the two swapped?" in note for note in notes) == doubts


def test_fusing_without_measuring(tmp_path, capsys):
    scripts = {test_dcinn_ivf_tno: ivf(tmp_path)[:2], test_dcinn_ps: (), test_dcinn_hmf: ()}
    for number, (script, data) in enumerate(scripts.items()):
        out = tmp_path / f"out{number}"
        result = script.main([str(o) for o in (*data, "--weights", "untrained", "--no-metrics", "--output", out)])
        said = capsys.readouterr().out
        assert "NO TRAINED WEIGHTS" in said
        assert "Nothing was measured" in said
        assert "|" not in said
        assert not (out / "metrics.md").exists()
        assert result["tables"] == json.loads((out / "metrics.json").read_text())["tables"] == []
        assert len(list(out.rglob("*.png"))) > 1


def test_two_images_of_one_folder(tmp_path):
    for name in "ab":
        gray_png(tmp_path / f"{name}.png", 32, 32)
    (tmp_path / "vis").mkdir()
    files = [shutil.move(tmp_path / f"{name}.png", tmp_path / "vis") for name in "ab"]
    assert not any("swapped" in note for note in PairedImages(visible=files[0], infrared=files[1])[0]["notes"])


def test_the_ratio_that_the_weights_were_trained_at(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    for ratio, times, more in (("8", 1, ["--weights", "pretrained/hmf.pth", "--no-metrics"]), ("4", 0, [])):
        test_dcinn_hmf.main(["--ratio", ratio, "--limit", "1", "--output", str(tmp_path / ratio), *more])
        words = f"These weights were trained at x4; train_dcinn_hmf.py --ratio {ratio} makes others."
        assert capsys.readouterr().out.count(words) == times


def test_weights_of_the_ratio_are_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(cube_weights, "PRETRAINED", tmp_path)
    assert cube_weights.default_weights(8) == "hmf"
    (tmp_path / "hmf_x8.pth").touch()
    assert [cube_weights.default_weights(ratio) for ratio in (2, 4, 8)] == ["hmf", "hmf", "hmf_x8"]


def test_every_tile_is_told():
    told = []
    model = dcinn_ivf().eval()
    fuse(model, torch.rand(1, 1, 70, 100), torch.rand(1, 1, 70, 100), tile=48, scene=True, done=lambda: told.append(1))
    assert len(told) == Tiling(70, 100, 48).count > 4


def test_arrays_instead_of_tensors():
    image = np.zeros((1, 1, 32, 32), np.float32)
    with pytest.raises(TypeError, match=r"base image: found ndarray, expected a torch.Tensor \(torch.from_numpy\)"):
        dcinn_ivf()(image, image)


def test_ms_and_pan_the_wrong_way_round(tmp_path, capfd):
    np.save(tmp_path / "ms.npy", RNG.integers(1, 2000, (16, 16, 4)))
    np.save(tmp_path / "pan.npy", RNG.integers(1, 2000, (64, 64)))
    files = ("--ms", tmp_path / "pan.npy", "--pan", tmp_path / "ms.npy")
    ended(test_dcinn_ps.main, *files, "--weights", "untrained", "--output", tmp_path / "out")
    assert "pan.npy: found one band, expected an MS image; are --ms and --pan swapped?" in one_line(capfd)


def test_one_and_many():
    assert validation_label(1, "pairs", None, 1) == "1 pair held back"
    assert validation_label(1, "patches", None, 1) == "1 patch held back"
    assert validation_label(2, "patches", None, 1) == "2 patches held back"
