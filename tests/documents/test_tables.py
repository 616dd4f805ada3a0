"""The kept tables and the cards: made from what scripts wrote, and compared with a fresh run."""

import hashlib
import json
import re
import subprocess

import cards
import cv2
import numpy as np
import pytest
import tables
import torch

from benchmarks.publish import documents
from models import CheckpointError, dcinn_ivf, dcinn_ps, load_pretrained, save_checkpoint
from models.peers import AUIF
from utils.commandline.errors import UsageError

ENTRY = tables.Entry("test_dcinn_ivf_tno.py", "pairs", ("--weights", "untrained", "--protocol", "cddfuse"))
LINES = """epoch,step,lr,loss,{0},seconds
0,21,5e-05,0.7,0.61,60
1,42,5e-05,0.6,0.52,60
2,63,5e-05,0.6,,60
3,84,5e-05,0.6,0.55,60
"""


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
    assert "files" not in result
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
    close = json.loads(before)
    close["tables"][0]["summary"]["max of the two"]["SD"]["mean"] -= 0.0009  # of the number that was changed above
    off, what = tables.differences(close, result)[0]
    assert off == pytest.approx(0.9)
    assert "max of the two, SD" in what
    with pytest.raises(ValueError, match="argument"):
        tables.differences({"tables": []}, result)
    del result["tables"][0]["summary"]["max of the two"]
    with pytest.raises(UsageError, match="rows"):
        tables.differences(result, json.loads(before))


def test_what_is_not_there_is_left_out_and_said(kept, capsys):
    (kept / "none").mkdir()
    assert tables.main(["--datasets", str(kept / "none")]) == 0
    assert "toy: left out, no pairs" in capsys.readouterr().out
    assert tables.main(["--datasets", str(kept / "none"), "--check"]) == 1, "what is not compared is not confirmed"


def test_no_table_of_weights_that_are_not_there(kept, monkeypatch):
    entry = tables.Entry(ENTRY.script, ENTRY.data, ("--protocol", "paper"))
    monkeypatch.setattr(tables, "TABLES", {"other": entry})
    monkeypatch.setattr("utils.evaluation.pick_network.PRETRAINED", kept)
    with pytest.raises(UsageError, match="no weights"):
        tables.main(["--datasets", str(kept / "sets")])
    assert not (kept / "results/other.json").exists()


def test_the_markdown_has_the_means_and_the_command(kept):
    result = json.loads((kept / "results/toy.json").read_text())
    text = cards.markdown(result)
    value = result["tables"][0]["summary"]["mean of the two"]["EN"]["mean"]
    assert f"| mean of the two | {value:.3f} |" in text
    assert "| DCINN (untrained, seed 0) |" in text
    assert "    python test_dcinn_ivf_tno.py --data DIR/pairs" in text
    assert "| CDDFuse" not in text, "other images: no published row of theirs"


def a_run(folder, model, column):
    """What a training leaves behind; its third epoch was not validated."""
    folder.mkdir()
    extra = {"training": {"seed": 1}, "epoch": 2, "steps": 42}
    save_checkpoint(folder / "best.pth", model, extra=extra)
    about = {
        **{
            "recipe": "released",
            "data": "/at/home/pairs",
            "validation": "2 pairs",
            "hardware": "a CPU",
            "parameters": 5,
        },
        **{
            "command": "python train.py --data /at/home/pairs --output ../x --resume",
            "without_network": {"max": {column: 0.9}},
        },
        "settings": {"batch": 8, "patch": 152, "lr": 5e-5, "milestones": [], "amp": "off", "seed": 3},
        "processes": 1,
    }
    (folder / "run.json").write_text(json.dumps(about))
    (folder / "train.csv").write_text(LINES.format(column))


MODELS = {"ivf_rs": lambda: dcinn_ivf("mean"), "ps": lambda: dcinn_ps(4), "peers/auif": AUIF}


BOTH = (" --output runs/1", " --weights runs/1/best.pth --output runs/2")  # what a card adds, so that its commands run


def test_a_card_says_what_the_training_began_with(tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "PRETRAINED", tmp_path / "pretrained")
    (tmp_path / "pretrained").mkdir()
    for run, steps in (("first", 84), ("second", 9), ("third", 5)):
        a_run(tmp_path / run, AUIF(), "val_loss")
        lines = (tmp_path / run / "train.csv").read_text()
        (tmp_path / run / "train.csv").write_text(lines.replace("84", str(steps)))
        about = json.loads((tmp_path / run / "run.json").read_text())
        if run != "first":
            about["command"] += " --weights first/best.pth"
            about["settings"] |= {"whole": 0.5, "soft": 0.25, "cosines": True, "ema": 0.0}
        if run == "third":
            about["settings"] |= {"batch": 3, "patch": 96}
        (tmp_path / run / "run.json").write_text(json.dumps(about))
    second, first = str(tmp_path / "second"), str(tmp_path / "first")
    for wrong in (["adopt", second, "peers/auif"], ["adopt", first, "peers/auif", "--after", second]):
        with pytest.raises(UsageError, match="--after: found"):
            cards.main(wrong)
    cards.main(["adopt", second, "peers/auif", "--after", first])
    card = cards.card("peers/auif")
    assert "| Before, steps | 84 (4 epochs)" in card
    assert "| Steps | 9 (4 epochs)" in card
    assert "float32, --whole 0.5, --soft 0.25, --cosines |" in card
    assert "".join(f"    python train.py --data DIR/pairs{more}\n" for more in BOTH) in card
    with pytest.raises(UsageError, match=r"found .*second itself, expected the training whose weights"):
        cards.main(["adopt", second, "peers/auif", "--after", "peers/auif"])
    cards.main(["adopt", str(tmp_path / "third"), "peers/auif", "--after", "peers/auif"])
    card = cards.card("peers/auif")
    assert "| Training 1, steps | 84 (4 epochs)" in card
    assert "| Training 2, steps | 9 (4 epochs)" in card
    assert "| Steps | 5 (4 epochs)" in card
    monkeypatch.setattr(documents, "PRETRAINED", tmp_path / "pretrained")
    assert re.match(r"84 \+ 9 steps of \d+ x \d+², 5 steps of 3 x 96², ", documents.training("peers/auif")[1])
    assert card.count("    python train.py") == 3


@pytest.mark.parametrize(("name", "column"), [("ivf_rs", "val_loss"), ("ps", "PSNR"), ("peers/auif", "val_loss")])
def test_adopted_weights_hold_model_and_configuration_only(name, column, tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "PRETRAINED", tmp_path / "pretrained")
    (tmp_path / "pretrained").mkdir()
    a_run(tmp_path / "run", MODELS[name](), column)
    cards.main(["adopt", str(tmp_path / "run"), name])
    content = torch.load(tmp_path / f"pretrained/{name}.pth", weights_only=True)
    assert not content["extra"]
    assert all(v.dtype == torch.float32 for v in content["model"].values() if v.is_floating_point())
    model = load_pretrained(tmp_path / f"pretrained/{name}.pth", method=None)
    assert model.config.task == ("ivf" if "/" in name else name.partition("_")[0])
    card = cards.card(name)
    assert "84 (4 epochs); weights as they were after 42 steps" in card
    assert "a CPU, 1 process(es), 4 minutes" in card
    assert "    python train.py --data DIR/pairs\n" in card
    assert "| Data | pairs |" in card
    assert "home" not in (tmp_path / f"pretrained/{name}.json").read_text()
    cards.draw_curve(name)
    assert cv2.imread(str(tmp_path / f"pretrained/curves/{name}.png")).std() > 5


def test_what_is_no_training_of_the_task_is_not_adopted(tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "PRETRAINED", tmp_path / "pretrained")
    (tmp_path / "pretrained").mkdir()
    with pytest.raises(UsageError, match=r"best\.pth: found no such file"):
        cards.adopt(tmp_path, "ivf_rs")
    a_run(tmp_path / "run", dcinn_ps(4), "PSNR")
    with pytest.raises(CheckpointError, match="expected one for hmf"):
        cards.adopt(tmp_path / "run", "hmf")
    (tmp_path / "run/best.pth").write_bytes(b"junk")
    with pytest.raises(CheckpointError):
        cards.adopt(tmp_path / "run", "ps")
    assert not list((tmp_path / "pretrained").iterdir())


def test_numbers_of_other_weights_are_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "PRETRAINED", tmp_path)
    (tmp_path / "results").mkdir()
    save_checkpoint(tmp_path / "ivf_tno.pth", dcinn_ivf("max"))
    networks = [{"label": "DCINN (ivf_tno)", "sha256": hashlib.sha256(b"another").hexdigest()}]
    (tmp_path / "results/tno8.json").write_text(json.dumps({"networks": networks, "tables": []}))
    with pytest.raises(UsageError, match=r"another ivf_tno\.pth"):
        cards.write()


def test_kept_results_are_not_ignored_by_git():
    found = subprocess.run(["git", "check-ignore", "pretrained/results/x.json"], cwd=documents.ROOT, check=False)
    assert found.returncode != 0


@pytest.mark.parametrize("name", list(cards.CARDS))
def test_the_cards_show_the_kept_numbers(name):
    if not (cards.PRETRAINED / f"{name}.json").is_file():
        pytest.skip(f"{name} is not trained yet")
    assert cards.card(name) == (cards.PRETRAINED / f"{name}.md").read_text(encoding="utf-8")
    assert (cards.PRETRAINED / f"{name}.pth").is_file()
