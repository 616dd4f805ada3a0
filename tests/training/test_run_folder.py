"""Runs that were killed before they had a checkpoint, and checkpoints that are damaged: how each one goes on."""

import functools
import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from killed_runs import ONE, Killed, dies, same
from small_trainings import refused, rows, train

from data.samples import sample_pairs
from models import dcinn_ivf, save_checkpoint
from models.weights import files
from utils.training import engine, run_folder
from utils.training.engine import Trainer


@pytest.fixture(scope="module", autouse=True)
def _small():
    """A small network and 32 pixels of the sample's pairs, to be quick."""
    pairs = [{k: v[..., :32, :32] if hasattr(v, "ndim") else v for k, v in pair.items()} for pair in sample_pairs()]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("data.patches.training_images.sample_pairs", lambda: [dict(pair) for pair in pairs])
        patched.setattr("utils.training.infrared_visible.dcinn_ivf", functools.partial(dcinn_ivf, low_blocks=1))
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    train("ivf_tno", folder, *ONE, epochs=2)
    return folder


FIRST_STEP, FIRST_SAVE = (Trainer, "_one_step"), (Trainer, "save")


@pytest.mark.parametrize("options", [(), ("--resume",)])
def test_a_run_that_was_killed_before_its_first_checkpoint(options, whole, tmp_path, monkeypatch, capsys):
    dies(monkeypatch, tmp_path, FIRST_STEP)
    assert {p.name for p in (tmp_path / "run").iterdir()} == {"run.json", "train.csv", "tensorboard"}
    train("ivf_tno", tmp_path, *ONE, *options, epochs=2)
    said = capsys.readouterr().out
    line = f"--resume: the run in {tmp_path / 'run'} had no checkpoint yet; it starts from the beginning"
    assert (line in said) == bool(options)
    same(whole, tmp_path)


def test_steps_that_were_logged_before_are_logged_once(tmp_path, monkeypatch):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    dies(monkeypatch, tmp_path, FIRST_SAVE)
    train("ivf_tno", tmp_path, *ONE, epochs=1)
    board = EventAccumulator(str(tmp_path / "run/tensorboard"))
    board.Reload()
    assert [event.step for event in board.Scalars("step/loss")] == [1, 2, 3, 4]
    assert board.Tags()["tensors"] == ["config/text_summary"]


def test_killed_between_the_two_files_of_the_first_epoch(whole, tmp_path, monkeypatch, capsys):
    """best.pth is there and last.pth is not: a new run does not replace it, the same one does."""
    options = ("--save-every", 99)
    dies(monkeypatch, tmp_path, FIRST_SAVE, *options)
    assert (tmp_path / "run/best.pth").exists()
    assert len(rows(tmp_path)) == 1
    assert "best.pth: found an earlier run" in refused("ivf_tno", tmp_path, capsys, *ONE)
    message = refused("ivf_tno", tmp_path, capsys, *ONE, "--resume", "--lr", 0.1)
    assert "run.json: found a run with lr 5e-05, expected 0.1" in message
    assert (tmp_path / "run/best.pth").exists()
    train("ivf_tno", tmp_path, *ONE, "--resume", epochs=2)
    same(whole, tmp_path)


def test_what_is_left_of_a_run_that_had_checkpoints_is_not_begun_anew(whole, tmp_path, capsys):
    shutil.copytree(whole / "run", tmp_path / "run")
    for name in ("last.pth", "previous.pth"):
        (tmp_path / "run" / name).unlink()
    message = refused("ivf_tno", tmp_path, capsys, *ONE, "--resume")
    assert "last.pth: found no such file, expected a last.pth to go on from; the best weights are there" in message
    best, log = tmp_path / "run/best.pth", tmp_path / "run/train.csv"
    content, text = torch.load(best, weights_only=True), log.read_text()
    torch.save({**content, "extra": {**content["extra"], "epoch": 2}}, best)
    log.unlink()
    assert "last.pth: found no such file" in refused("ivf_tno", tmp_path, capsys, *ONE, "--resume"), "of a later epoch"
    log.write_text(text)
    best.unlink()
    assert "train.csv: found an earlier run" in refused("ivf_tno", tmp_path, capsys, *ONE)
    assert "last.pth: found no such file" in refused("ivf_tno", tmp_path, capsys, *ONE, "--resume")
    (tmp_path / "run/train.csv").write_text("theirs\n1\n")
    assert "train.csv: found an earlier run" in refused("ivf_tno", tmp_path, capsys, *ONE)
    assert (tmp_path / "run/train.csv").read_text() == "theirs\n1\n"


def test_weights_to_begin_with_are_those_of_the_run_that_was_killed(whole, tmp_path, monkeypatch, capsys):
    start = ("--weights", whole / "run/best.pth")
    dies(monkeypatch, tmp_path, FIRST_STEP, *start)
    assert f"found a run that began with --weights {start[1]}" in refused("ivf_tno", tmp_path, capsys, *ONE, "--resume")
    train("ivf_tno", tmp_path, *ONE, *start, "--resume", epochs=1)
    dies(monkeypatch, tmp_path / "other", FIRST_STEP)
    message = refused("ivf_tno", tmp_path / "other", capsys, *ONE, *start, "--resume")
    assert "run.json: found a run that began with no --weights, expected the same" in message


DAMAGES = {
    "cut": lambda data: data[: len(data) // 2],
    "empty": lambda _: b"",
    "a flipped bit": lambda data: data[:9999] + bytes([data[9999] ^ 4]) + data[10000:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_names_the_others_and_the_previous_one_goes_on(damage, whole, tmp_path, capsys):
    shutil.copytree(whole / "run", tmp_path / "run")
    last, previous = tmp_path / "run/last.pth", tmp_path / "run/previous.pth"
    last.write_bytes(DAMAGES[damage](last.read_bytes()))
    message = refused("ivf_tno", tmp_path, capsys, *ONE, "--resume")
    assert f"{last}: found " in message
    assert f"the checkpoint before it is there: --resume {previous};" in message
    assert f"--weights {tmp_path / 'run/best.pth'} and another --output" in message
    train("ivf_tno", tmp_path, *ONE, "--resume", previous, epochs=2)
    same(whole, tmp_path)


def test_a_damaged_checkpoint_with_nothing_beside_it(tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/last.pth").write_bytes(b"")
    message = refused("ivf_tno", tmp_path, capsys, "--resume")
    assert message.endswith("expected a file of weights\n")


def totals(folder):
    names = ("last.pth", "previous.pth")
    found = [torch.load(folder / "run" / name, weights_only=True) for name in names]
    return [content["extra"]["training"]["total"] for content in found]


def test_the_checkpoint_before_the_last_one_is_kept_without_a_copy(tmp_path, monkeypatch):
    train("ivf_tno", tmp_path, *ONE, "--steps", 3)
    assert not (tmp_path / "run/previous.pth").exists()
    first = (tmp_path / "run/last.pth").stat().st_ino
    train("ivf_tno", tmp_path, *ONE, "--resume", "--steps", 4)
    assert totals(tmp_path) == [4, 3]
    assert (tmp_path / "run/previous.pth").stat().st_ino == first
    train("ivf_tno", tmp_path, *ONE, "--resume", epochs=2)
    assert totals(tmp_path) == [8, 6]
    assert not [p for p in (tmp_path / "run").iterdir() if p.name.startswith(".")]


def test_killed_while_a_checkpoint_is_written(whole, tmp_path, monkeypatch):
    """Both names are those of the one before then, and keeping it again changes nothing."""
    train("ivf_tno", tmp_path, *ONE, "--steps", 6, epochs=2)
    real, seen = run_folder.keep_previous, []

    def keep(settings):
        real(settings)
        seen.append(totals(tmp_path))
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(run_folder, "keep_previous", keep)
        with pytest.raises(Killed):
            train("ivf_tno", tmp_path, *ONE, "--resume", epochs=2)
    assert seen == [[6, 6]]
    train("ivf_tno", tmp_path, *ONE, "--resume", epochs=2)
    assert totals(tmp_path) == [8, 6]
    assert not [p.name for p in (tmp_path / "run").iterdir() if p.name.startswith(".")]
    same(whole, tmp_path)


def test_a_damaged_checkpoint_does_not_become_the_previous_one(whole, tmp_path, monkeypatch):
    """Killed while the first checkpoint after a --resume previous.pth is written: that one is still whole."""
    shutil.copytree(whole / "run", tmp_path / "run")
    (tmp_path / "run/last.pth").write_bytes(b"damaged")
    previous = tmp_path / "run/previous.pth"
    dies(monkeypatch, tmp_path, (engine, "save_checkpoint"), "--resume", previous, "--eval-every", 9, epochs=3)
    assert torch.load(previous, weights_only=True)["extra"]["training"]["total"] == 6
    train("ivf_tno", tmp_path, *ONE, "--resume", previous, epochs=2)
    same(whole, tmp_path)


def test_a_file_system_without_second_names(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("not here")

    monkeypatch.setattr(os, "link", refuse)
    train("ivf_tno", tmp_path, *ONE, epochs=1)
    assert totals(tmp_path) == [4, 3]


def test_half_written_checkpoints_go_and_others_stay(tmp_path):
    train("ivf_tno", tmp_path, *ONE, "--steps", 1)
    ours = [".last.pth.abcd_123.part", ".previous.pth.00000000.part", ".best.pth.zzzzzzzz.part"]
    theirs = [".last.pth.20240101", ".last.pth.backup", ".best.pth.old.part", ".mine", "last.pth.abcd_123.part"]
    for name in (*ours, *theirs):
        (tmp_path / "run" / name).write_text(name)
    train("ivf_tno", tmp_path, *ONE, "--steps", 2, "--resume")
    left = {p.name for p in (tmp_path / "run").iterdir()}
    assert left.isdisjoint(ours)
    assert left.issuperset(theirs)


def test_a_half_written_checkpoint_has_a_name_that_goes(tmp_path, monkeypatch):
    """What `save_checkpoint` leaves when it is killed is what a run takes away."""

    def kill(_):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", lambda *_, **__: None)
        patched.setattr(os, "fsync", kill)
        with pytest.raises(Killed):
            save_checkpoint(tmp_path / "last.pth", dcinn_ivf("max", low_blocks=1))
    assert len(list(tmp_path.iterdir())) == 1
    run_folder.remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_is_read_once(tmp_path, monkeypatch):
    train("ivf_tno", tmp_path, *ONE, "--steps", 1)
    read, seen = files.read, []
    monkeypatch.setattr(files, "read", lambda path: (seen.append(path.name), read(path))[1])
    monkeypatch.setattr("models.weights.checkpoint.read", files.read)
    train("ivf_tno", tmp_path, *ONE, "--steps", 2, "--resume")
    assert seen == ["last.pth"]


def test_run_json_says_where_a_run_began(whole):
    assert json.loads((whole / "run/run.json").read_text())["weights"] is None


def test_run_json_says_where_a_resumed_run_began(tmp_path):
    train("ivf_tno", tmp_path, *ONE, "--steps", 1, "--weights", "ivf_tno")
    train("ivf_tno", tmp_path, *ONE, "--steps", 2, "--resume")
    assert json.loads((tmp_path / "run/run.json").read_text())["weights"] == "ivf_tno"
