"""A folder of results that is used again: images of one run in it, files of nobody else touched."""

import json
import os
import signal
from pathlib import Path

import pytest
from outputs import pairs

import test_dcinn_ivf_tno
from metrics.table import Table
from utils.evaluation.score import run as score
from utils.output.result_folder import TABLES, ResultFolder

FOREIGN = ("../outside.png", "/etc/hostname", "fused/\0", "fused", "", 3, None, "fused/link.png", "deep/../own.png")


def fuse(data, out, *more):
    options = ("--data", data, "--output", out, "--weights", "untrained", "--protocol", "paper", *more)
    test_dcinn_ivf_tno.main([str(o) for o in options])


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_the_images_of_one_run_and_the_files_of_others(tmp_path, capsys):
    pairs(tmp_path / "set", "one", "two", "three")
    fuse(tmp_path / "set", tmp_path / "out", "--methods", "dcinn,auif")
    assert (tmp_path / "out/crops.png").is_file()
    (tmp_path / "out/fused/mine.png").write_bytes(b"not of a run")
    fuse(tmp_path / "set", tmp_path / "out", "--limit", "1")
    assert names(tmp_path / "out/fused") == ["mine.png", "one.png"]
    assert names(tmp_path / "out/before/fused") == ["three.png", "two.png"]
    assert (tmp_path / "out/before/crops.png").is_file()
    assert not (tmp_path / "out/crops.png").exists()
    assert f"3 files of earlier runs moved to {tmp_path / 'out/before'}" in capsys.readouterr().out
    (tmp_path / "out/fused/mine.png").unlink()
    pairs(tmp_path / "single", "one")
    options = ("--task", "ivf", "--fused", tmp_path / "out/fused", "--data", tmp_path / "single")
    score([str(o) for o in (*options, "--output", tmp_path / "out")])
    assert names(tmp_path / "out/fused") == ["one.png"], "scored into the folder that it read"
    assert (tmp_path / "out/comparison.png").is_file()
    pairs(tmp_path / "other", "four")
    fuse(tmp_path / "other", tmp_path / "out")
    assert names(tmp_path / "out/fused") == ["four.png"], "known from before the scoring"
    (tmp_path / "out/fused/one.png").write_bytes(b"mine, of a name that a run had once")
    fuse(tmp_path / "other", tmp_path / "out")
    assert names(tmp_path / "out/fused") == ["four.png", "one.png"]


def test_tables_of_an_earlier_run_beside_one_without(tmp_path):
    pairs(tmp_path / "set", "one")
    fuse(tmp_path / "set", tmp_path / "out")
    tables = contents(tmp_path / "out")
    fuse(tmp_path / "set", tmp_path / "out", "--no-metrics")
    assert names(tmp_path / "out") == ["before", "comparison.png", "fused", "metrics.json"]
    for suffix in ("csv", "md", "tex"):
        kept = tmp_path / f"out/before/metrics.{suffix}"
        assert kept.read_bytes() == tables[tmp_path / f"out/metrics.{suffix}"]


def write(out, name, changed=False):
    with ResultFolder(out) as folder:
        folder.path(f"fused/{name}").write_bytes(b"an image")
        folder.write_tables([Table("another" if changed else "a title", "ivf", ("EN",), "paper")], {})


def test_a_list_that_names_what_no_run_wrote(tmp_path):
    write(tmp_path / "out", "one.png")
    (tmp_path / "outside.png").write_bytes(b"outside")
    (tmp_path / "out/own.png").write_bytes(b"own")
    (tmp_path / "out/fused/link.png").symlink_to(tmp_path / "outside.png")
    index = tmp_path / "out/metrics.json"
    index.write_text(json.dumps({"files": [*FOREIGN, str(tmp_path / "outside.png"), "fused/one.png"]}))
    write(tmp_path / "out", "two.png")
    assert names(tmp_path) == ["out", "outside.png"]
    assert names(tmp_path / "out/fused") == ["link.png", "two.png"]
    assert (tmp_path / "out/own.png").is_file()


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"files": 3}', "[" * 10**5, '{"files": {"a": 1}}'])
def test_a_list_that_is_none(text, tmp_path):
    write(tmp_path / "out", "one.png")
    (tmp_path / "out/metrics.json").write_text(text)
    write(tmp_path / "out", "two.png")
    assert names(tmp_path / "out/fused") == ["one.png", "two.png"]


def contents(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("at", range(7))
def test_a_stop_puts_them_back(at, tmp_path, monkeypatch):
    write(tmp_path / "out", "one.png")
    before = contents(tmp_path)
    moved, replace = [], Path.replace

    def stopped(self, goal):
        if self.parent.name == ".before" or (goal.name in ("metrics.json", "metrics.csv") and at == 6):
            return replace(self, goal)
        moved.append(goal)
        if len(moved) == at + 1:
            raise KeyboardInterrupt
        if len(moved) > at + 1:
            os.kill(os.getpid(), signal.SIGINT)  # impatient
        return replace(self, goal)

    monkeypatch.setattr(Path, "replace", stopped)
    if at < 6:
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path / "out", "two.png")
        assert contents(tmp_path) == before
        assert names(tmp_path / "out") == ["fused", *sorted(TABLES)]
    else:
        write(tmp_path / "out", "two.png")
        assert names(tmp_path / "out/fused") == ["two.png"]
        assert names(tmp_path / "out/before/fused") == ["one.png"]


def test_what_cannot_be_put_back_is_kept(tmp_path, monkeypatch):
    write(tmp_path / "out", "one.png")
    before, replace = contents(tmp_path / "out"), Path.replace

    def full(self, goal):
        if self.name == "metrics.md" or ".before" in str(self):
            raise OSError("the disk is gone")
        return replace(self, goal)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="gone"):
        write(tmp_path / "out", "two.png", changed=True)
    assert set(before.values()) <= set(contents(tmp_path / "out").values())
