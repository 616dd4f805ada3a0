"""Rows beside a trained network: the untrained one, further weights, and the pairs of a list."""

import hashlib

import cv2
import numpy as np
import pytest
import torch

import test_dcinn_ivf_rs
import test_dcinn_ivf_tno
import test_dcinn_ps
from models import DCINN, DCINNConfig, dcinn_ivf, save_checkpoint
from utils.evaluation import infrared_visible
from utils.evaluation.pick_network import untrained


@pytest.fixture
def weights(tmp_path):
    """Two files of stirred networks, first.pth (max) and second.pth (mean), and a small pair in pairs/."""
    rng = np.random.default_rng(2)
    for kind in ("vi", "ir"):
        (tmp_path / "pairs" / kind).mkdir(parents=True)
        image = cv2.GaussianBlur(rng.integers(0, 256, (48, 64)).astype(np.uint8), (5, 5), 1.5)
        cv2.imwrite(str(tmp_path / "pairs" / kind / "astronaut.png"), image)
    for seed, (name, rule) in enumerate((("first", "max"), ("second", "mean"))):
        torch.manual_seed(seed)
        model = dcinn_ivf(rule)
        for parameter in model.parameters():
            parameter.data += 0.01 * torch.randn_like(parameter)
        save_checkpoint(tmp_path / f"{name}.pth", model)
    return tmp_path


def run(folder, *options, script=test_dcinn_ivf_tno):
    words = [*map(str, options), "--output", str(folder / "out"), "--limit", "1"]
    if (folder / "pairs").is_dir() and "--data" not in words:
        words += ["--data", str(folder / "pairs")]
    return script.main(words), folder / "out"


def test_the_untrained_network_is_a_row_of_every_table(weights):
    trained, _ = run(weights, "--weights", weights / "first.pth")
    fresh, _ = run(weights, "--weights", "untrained")
    assert [n["label"] for n in fresh["networks"]] == ["DCINN (untrained, seed 0)"]
    assert fresh["networks"][0]["sha256"] is None
    digest = hashlib.sha256((weights / "first.pth").read_bytes()).hexdigest()
    assert [n["sha256"] for n in trained["networks"]] == [digest, None]
    for a, b in zip(trained["tables"], fresh["tables"], strict=True):
        assert list(a["summary"]) == ["DCINN (first)", "DCINN (untrained, seed 0)", "mean of the two", "max of the two"]
        assert a["values"]["DCINN (untrained, seed 0)"] == b["values"]["DCINN (untrained, seed 0)"]
        assert a["values"]["DCINN (first)"] != b["values"]["DCINN (untrained, seed 0)"]
        assert "NO TRAINED WEIGHTS" in " ".join(b["remarks"])
        assert "NO TRAINED WEIGHTS" not in " ".join(a["remarks"])


def test_the_untrained_row_has_the_base_rule_of_the_weights(weights):
    of_mean, _ = run(weights, "--weights", weights / "second.pth")
    fresh, _ = run(weights, "--weights", "untrained", "--base-rule", "mean")
    name = "DCINN (untrained, seed 0)"
    assert of_mean["tables"][0]["values"][name] == fresh["tables"][0]["values"][name]


def test_further_weights_are_rows_images_and_panels(weights):
    alone, out = run(weights, "--weights", weights / "second.pth")
    image = (out / "fused/astronaut.png").read_bytes()
    width = cv2.imread(str(out / "comparison.png")).shape[1]
    both, out = run(weights, "--weights", weights / "first.pth", "--beside", weights / "second.pth")
    starts = ["DCINN (untrained, seed 0), max", "DCINN (untrained, seed 0), mean"]
    assert [n["label"] for n in both["networks"]] == ["DCINN (first), max", "DCINN (second), mean", *starts]
    assert [n["base_rule"] for n in both["networks"]] == ["max", "mean", "max", "mean"]
    assert "base rule max and mean" in both["tables"][0]["title"]
    for name, rule in (("DCINN (second)", "mean"), ("DCINN (untrained, seed 0)", "mean")):
        assert both["tables"][1]["values"][f"{name}, {rule}"] == alone["tables"][1]["values"][name]
    assert sorted(p.name for p in out.iterdir() if p.is_dir()) == ["fused", "fused_second"]
    assert (out / "fused_second/astronaut.png").read_bytes() == image != (out / "fused/astronaut.png").read_bytes()
    assert cv2.imread(str(out / "comparison.png")).shape[1] > width


def test_weights_of_one_name_are_told_apart_by_their_folders(weights):
    for name, file in (("a", "first"), ("b", "second")):
        (weights / name).mkdir()
        (weights / f"{file}.pth").rename(weights / name / "best.pth")
    words = ("--weights", weights / "a/best.pth", "--beside", weights / "b/best.pth", "--base-rule", "max")
    result, out = run(weights, *words)
    names = ["DCINN (a_best)", "DCINN (b_best)", "DCINN (untrained, seed 0)"]
    assert [n["label"] for n in result["networks"]] == names
    assert (out / "fused_b_best/astronaut.png").is_file()


def test_the_untrained_row_has_the_configuration_of_the_weights(weights, monkeypatch):
    built = []
    whole = untrained
    monkeypatch.setattr(
        infrared_visible, "untrained", lambda args, build: built.append(whole(args, build)) or built[-1]
    )
    save_checkpoint(weights / "odd.pth", DCINN(DCINNConfig("ivf", base_rule="mean", detail_rule="mean", exact=True)))
    run(weights, "--weights", weights / "odd.pth")
    assert (built[0].model.config.detail_rule, built[0].model.exact) == ("mean", True)


def test_ablations_and_rules_have_rows_of_their_own(weights):
    """Each with the untrained network of its kind: no label stands for two."""
    for name, options in (("bare", {"without": "anet"}), ("mean", {"detail_rule": "mean"})):
        save_checkpoint(weights / f"{name}.pth", dcinn_ivf("max", **options))
    result, _ = run(weights, "--weights", weights / "bare.pth", "--beside", weights / "mean.pth")
    labels = [n["label"] for n in result["networks"]]
    assert labels == [
        "DCINN (bare), without anet, detail sum",
        "DCINN (mean), detail mean",
        "DCINN (untrained, seed 0), without anet, detail sum",
        "DCINN (untrained, seed 0), detail mean",
    ]
    assert set(labels) < set(result["tables"][0]["summary"])


def test_remarks_count_images_not_networks(weights, tmp_path):
    for kind in ("vi", "ir"):
        (tmp_path / kind).mkdir()
        cv2.imwrite(
            str(tmp_path / kind / "a.png"), np.random.default_rng(0).integers(0, 255, (50, 61)).astype(np.uint8)
        )
    result, _ = run(weights, "--weights", weights / "first.pth", "--data", tmp_path)
    assert next(r for r in result["tables"][0]["remarks"] if "reflected" in r).startswith("1 x sides")


def test_mri_ct_pairs_have_their_own_published_rows(tmp_path):
    for kind in ("MRI", "CT"):
        (tmp_path / kind).mkdir()
        cv2.imwrite(
            str(tmp_path / kind / "a.png"), np.random.default_rng(0).integers(0, 255, (48, 56)).astype(np.uint8)
        )
    result, _ = run(tmp_path, "--data", tmp_path, "--weights", "untrained", "--protocol", "paper")
    table = result["tables"][0]
    assert "MRI-CT fusion" in table["title"]
    assert {row["source"] for row in table["published_other_images"]} == {"DCINN paper Table 11"}


def test_the_same_file_twice_is_refused(weights, capsys):
    with pytest.raises(SystemExit) as stop:
        run(weights, "--weights", weights / "first.pth", "--beside", weights / "first.pth")
    assert stop.value.code == 2
    assert "the same file twice" in capsys.readouterr().err
    assert not (weights / "out").exists()


def test_the_pairs_of_a_list(shared, tmp_path):
    folder = shared("datasets/roadscene")
    result, _ = run(
        tmp_path, "--data", folder, "--split", "roadscene_50", "--protocol", "paper", script=test_dcinn_ivf_rs
    )
    table = result["tables"][0]
    assert table["images"] == ["FLIR_00211"]
    assert "roadscene_50" in table["title"]


def test_a_list_that_is_not_there_is_refused(tmp_path, capsys):
    for kind in ("vi", "ir"):
        (tmp_path / kind).mkdir()
        cv2.imwrite(str(tmp_path / kind / "a.png"), np.zeros((32, 32), np.uint8))
    for options, said in ((("--data", tmp_path), "no image named FLIR_00211"), ((), "without --data")):
        with pytest.raises(SystemExit) as stop:
            run(tmp_path, "--split", "roadscene_50", *options)
        assert stop.value.code == 2
        assert said in capsys.readouterr().err


def test_rows_of_a_scene_are_those_of_its_part(stacked, tmp_path, capsys):
    options = ("--data", stacked[0], "--rows", "4:20", "--weights", "untrained", "--protocol", "whole")
    result, _ = run(tmp_path, *options, script=test_dcinn_ps)
    assert "rows 4:20" in result["tables"][0]["title"]
    whole, _ = run(
        tmp_path, "--data", stacked[0], "--weights", "untrained", "--protocol", "whole", script=test_dcinn_ps
    )
    exp = [r["tables"][0]["summary"]["EXP (lms)"]["ERGAS"]["mean"] for r in (result, whole)]
    assert exp[0] != exp[1]
    with pytest.raises(SystemExit):
        run(tmp_path, "--data", stacked[0], "--rows", "4:21", script=test_dcinn_ps)
    assert "4:21, expected 4 or more of 0:20" in capsys.readouterr().err
