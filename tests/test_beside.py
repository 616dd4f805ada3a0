"""Rows beside a trained network: the untrained one, further weights, and the pairs of a list."""

import cv2
import numpy as np
import pytest
import torch

import test_dcinn_ivf_rs
import test_dcinn_ivf_tno
import test_dcinn_ps
from models import dcinn_ivf, save_checkpoint


@pytest.fixture
def weights(tmp_path):
    """Two files of stirred networks, first.pth (max) and second.pth (mean)."""
    for seed, (name, rule) in enumerate((("first", "max"), ("second", "mean"))):
        torch.manual_seed(seed)
        model = dcinn_ivf(rule)
        for parameter in model.parameters():
            parameter.data += 0.01 * torch.randn_like(parameter)
        save_checkpoint(tmp_path / f"{name}.pth", model)
    return tmp_path


def run(folder, *options, script=test_dcinn_ivf_tno):
    words = [*map(str, options), "--output", str(folder / "out"), "--limit", "1"]
    return script.main(words), folder / "out"


def test_the_untrained_network_is_a_row_of_every_table(weights):
    trained, _ = run(weights, "--weights", weights / "first.pth")
    fresh, _ = run(weights, "--weights", "untrained")
    assert fresh["beside"] == []
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
    assert both["beside"] == ["DCINN (second)", "DCINN (untrained, seed 0)"]
    name = "DCINN (second)"
    assert both["tables"][1]["values"][name] == alone["tables"][1]["values"][name]
    assert (out / "fused_second/astronaut.png").read_bytes() == image != (out / "fused/astronaut.png").read_bytes()
    assert cv2.imread(str(out / "comparison.png")).shape[1] > width


def test_the_same_name_twice_is_refused(weights, capsys):
    with pytest.raises(SystemExit) as stop:
        run(weights, "--weights", weights / "first.pth", "--beside", weights / "first.pth")
    assert stop.value.code == 2
    assert "DCINN (first) twice" in capsys.readouterr().err
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
    assert "4:21, expected some of 0:20" in capsys.readouterr().err
