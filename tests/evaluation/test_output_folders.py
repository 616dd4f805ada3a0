"""The output end: folders that cannot be written, runs that are stopped or meet another one, odd names."""

import errno
import os
import signal
from pathlib import Path

import pytest
import torch
from outputs import ended, ivf, one_line, pairs, snapshot
from small_trainings import SCRIPTS as TRAININGS
from small_trainings import train

import test_dcinn_hmf
import test_dcinn_ivf_rs
import test_dcinn_ivf_tno
import test_dcinn_ps
from utils import prepare
from utils.commandline.errors import single_line_errors
from utils.evaluation import infrared_visible, score
from utils.output import result_folder
from utils.output.folder_lock import alone, fcntl
from utils.output.result_folder import ResultFolder
from utils.training import run_folder

SCRIPTS = {"ps": test_dcinn_ps, "hmf": test_dcinn_hmf, "rs": test_dcinn_ivf_rs, "tno": test_dcinn_ivf_tno}
SMALL = ("--weights", "untrained", "--limit", "1")


COMMANDS = {
    **{name: (script.main, SMALL) for name, script in SCRIPTS.items()},
    **{f"train {name}": (script.main, ("--steps", 1)) for name, script in TRAININGS.items() if name != "ivf_rs"},
    "metrics": (single_line_errors(score.run), ("--task", "ivf", "--fused", "{}/vi", "--data", "{}")),
    "data": (single_line_errors(prepare.run), ("ps", "--data", "none.mat")),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_below_a_file(command, tmp_path, capfd):
    """As a folder without the right to write, which root has everywhere."""
    main, options = COMMANDS[command]
    (tmp_path / "file").write_text("a file")
    pairs(tmp_path / "set")
    before = snapshot(tmp_path)
    ended(main, *(str(o).format(tmp_path / "set") for o in options), "--output", tmp_path / "file" / "out")
    assert str(tmp_path / "file") in one_line(capfd)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_while_it_writes(number, tmp_path, capfd, monkeypatch):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background of a shell ignores it
    options = ivf(tmp_path)
    test_dcinn_ivf_tno.main([str(o) for o in options])
    before = snapshot(tmp_path)
    capfd.readouterr()
    monkeypatch.setattr(infrared_visible, "comparison_figure", lambda *_: os.kill(os.getpid(), number))
    ended(test_dcinn_ivf_tno.main, *options, code=130)
    assert "interrupted" in one_line(capfd)
    assert snapshot(tmp_path) == before
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize("error", [KeyboardInterrupt(), PermissionError(errno.EPERM, "not permitted")])
def test_a_run_that_is_stopped_while_it_moves_its_results(at, error, tmp_path, monkeypatch):
    def write(text):
        with ResultFolder(tmp_path / "out") as folder:
            for name in ("a", "deep/b", "new/c" if text == "second" else "a", "d"):
                folder.write_text(name, text)

    write("first")
    (tmp_path / "out/mine").write_text("not of a run")
    before, moved, replace = snapshot(tmp_path), [], Path.replace

    def stopped(self, goal):
        if ".before" not in str(self):
            moved.append(goal)
            if len(moved) == at + 1:
                raise error
        return replace(self, goal)

    monkeypatch.setattr(Path, "replace", stopped)
    if at < 4:
        with pytest.raises(type(error)):
            write("second")
        assert snapshot(tmp_path) == before
    else:
        write("second")
        assert (tmp_path / "out/new/c").read_text() == "second"
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a", "d", "deep", "mine", "new"]


def test_two_runs_into_one_folder(tmp_path):
    """The last one to end has all its files there, and neither leaves anything half written."""
    first, second = ResultFolder(tmp_path / "out"), ResultFolder(tmp_path / "out")
    with first:
        with second:
            for name in ("a", "b"):
                first.write_text(name, "first")
                second.write_text(name, "second")
        assert {p.name: p.read_text() for p in (tmp_path / "out").iterdir()} == {"a": "second", "b": "second"}
    assert {p.name: p.read_text() for p in (tmp_path / "out").iterdir()} == {"a": "first", "b": "first"}
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(fcntl is None, reason="folders cannot be locked here")
def test_a_folder_that_another_run_is_writing_to(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(result_folder, "PATIENCE", 0.0)
    monkeypatch.setattr(run_folder, "PATIENCE", 0.0)
    options = ivf(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "run").mkdir()
    before = snapshot(tmp_path)
    with alone(tmp_path / "out", 0), alone(tmp_path / "run", 0):
        ended(test_dcinn_ivf_tno.main, *options)
        assert f"{tmp_path / 'out'}: found another run" in one_line(capfd)
        with pytest.raises(SystemExit) as stop:
            train("ivf_tno", tmp_path, "--steps", 1)
        assert stop.value.code == 2
        assert f"{tmp_path / 'run'}: found another run that writes there, expected another --output" in one_line(capfd)
        assert snapshot(tmp_path) == before
    train("ivf_tno", tmp_path, "--steps", 1)
    torch.load(tmp_path / "run/last.pth", weights_only=True)


NAMES = ("two words", "C:\\data\\of mine", "größe 写真", "-x", "a'b\"c$(d)", "percent%20", "dots.in.it", "CON")


@pytest.mark.parametrize("name", NAMES[:3])
def test_folders_of_any_name(name, tmp_path, capsys):
    folder = tmp_path / name
    pairs(folder / "set", *NAMES)
    options = ("--data", folder / "set", "--output", folder / "out", "--weights", "untrained", "--protocol", "paper")
    test_dcinn_ivf_tno.main([str(o) for o in options])
    assert sorted(p.stem for p in (folder / "out/fused").iterdir()) == sorted(set(NAMES))
    assert f"results in {folder / 'out'}" in capsys.readouterr().out
    assert all(f'"{json_name}"' in (folder / "out/metrics.json").read_text() for json_name in ("two words", "CON"))
    assert sorted(p.name for p in tmp_path.iterdir()) == [name], "no other folder was made of the name"
