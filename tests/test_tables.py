"""The kept tables, the cards and the README: made from what scripts wrote, and compared with a fresh run."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models import dcinn_ivf, load_pretrained, save_checkpoint
from utils.entry import UsageError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
import cards
import tables

ENTRY = tables.Entry("test_dcinn_ivf_tno.py", "pairs", ("--weights", "untrained", "--protocol", "cddfuse"))


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A folder of sets with one pair, its table kept."""
    rng = np.random.default_rng(1)
    for kind in ("vi", "ir"):
        (tmp_path / "sets/pairs" / kind).mkdir(parents=True)
        image = cv2.GaussianBlur(rng.integers(0, 256, (48, 56)).astype(np.uint8), (5, 5), 1)
        cv2.imwrite(str(tmp_path / "sets/pairs" / kind / "a.png"), image)
    monkeypatch.setattr(tables, "TABLES", {"toy": ENTRY})
    monkeypatch.setattr(tables, "RESULTS", tmp_path / "results")
    assert tables.main(["--datasets", str(tmp_path / "sets")]) == 0
    return tmp_path


def test_a_table_is_kept_without_the_place_of_the_data(kept):
    content = (kept / "results/toy.json").read_text()
    result = json.loads(content)
    assert result["data"] == "pairs"
    assert str(kept) not in content
    assert result["command"] == "python test_dcinn_ivf_tno.py --data DIR/pairs --weights untrained --protocol cddfuse"
    assert result["tables"][0]["summary"]["DCINN (untrained, seed 0)"]["EN"]["mean"] > 1


def test_a_check_tells_the_same_from_another(kept, capsys):
    words = ["--datasets", str(kept / "sets"), "--check"]
    assert tables.main(words) == 0
    file = kept / "results/toy.json"
    result = json.loads(file.read_text())
    result["tables"][0]["summary"]["max of the two"]["SD"]["mean"] += 0.002
    file.write_text(json.dumps(result))
    before = file.read_text()
    assert tables.main(words) == 1
    assert "max of the two, SD" in capsys.readouterr().out
    assert file.read_text() == before
    del result["tables"][0]["summary"]["max of the two"]
    with pytest.raises(ValueError, match="rows"):
        tables.differences(result, json.loads(before))


def test_what_is_not_there_is_left_out_and_said(kept, capsys):
    (kept / "none").mkdir()
    assert tables.main(["--datasets", str(kept / "none")]) == 0
    assert "toy: left out, no pairs" in capsys.readouterr().out


def test_the_markdown_has_the_means_and_the_command(kept):
    result = json.loads((kept / "results/toy.json").read_text())
    text = cards.markdown(result)
    value = result["tables"][0]["summary"]["mean of the two"]["EN"]["mean"]
    assert f"| mean of the two | {value:.3f} |" in text
    assert "| DCINN (untrained, seed 0) |" in text
    assert "    python test_dcinn_ivf_tno.py --data DIR/pairs" in text
    assert "| CDDFuse" not in text, "other images: no published row of theirs"


def test_adopted_weights_hold_model_and_configuration_only(tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "PRETRAINED", tmp_path / "pretrained")
    (tmp_path / "pretrained").mkdir()
    (tmp_path / "run").mkdir()
    model = dcinn_ivf("mean")
    save_checkpoint(tmp_path / "run/best.pth", model, extra={"training": {"seed": 1}})
    about = {
        **{"recipe": "released", "data": "pairs", "validation": "2 pairs", "hardware": "a CPU", "parameters": 5},
        **{"command": "python train.py", "without_network": {"max of the two": {"val_loss": 0.9}}},
        "settings": {"batch": 8, "patch": 152, "lr": 5e-5, "milestones": [], "amp": "off", "seed": 3},
    }
    (tmp_path / "run/run.json").write_text(json.dumps(about))
    lines = (
        "epoch,step,lr,loss,val_loss,seconds\n0,21,5e-05,0.7,0.61,60\n1,42,5e-05,0.6,0.52,60\n2,63,5e-05,0.6,0.55,60\n"
    )
    (tmp_path / "run/train.csv").write_text(lines)
    cards.main(["adopt", str(tmp_path / "run"), "ivf_rs"])
    content = torch.load(tmp_path / "pretrained/ivf_rs.pth", weights_only=True)
    assert not content["extra"]
    assert all(v.dtype == torch.float32 for v in content["model"].values() if v.is_floating_point())
    assert load_pretrained(tmp_path / "pretrained/ivf_rs.pth").config.base_rule == "mean"
    card = cards.card("ivf_rs")
    assert "63 (3 epochs); the weights are those after epoch 2" in card
    assert "a CPU, 3 minutes" in card
    cards.draw_curve("ivf_rs")
    assert cv2.imread(str(tmp_path / "pretrained/curves/ivf_rs.png")).std() > 5
    with pytest.raises(UsageError, match=r"best\.pth: found no such file"):
        cards.main(["adopt", str(tmp_path), "ivf_rs"])


def test_the_readme_shows_the_kept_numbers():
    """benchmarks/cards.py write, where this fails."""
    text = cards.README.read_text(encoding="utf-8")
    assert cards.replaced(text) == text


@pytest.mark.parametrize("name", list(cards.CARDS))
def test_the_cards_show_the_kept_numbers(name):
    if not (cards.PRETRAINED / f"{name}.json").is_file():
        pytest.skip(f"{name} is not trained yet")
    assert cards.card(name) == (cards.PRETRAINED / f"{name}.md").read_text(encoding="utf-8")
    assert (cards.PRETRAINED / f"{name}.pth").is_file()
