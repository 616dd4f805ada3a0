"""A training that is killed or stopped goes on exactly: the final weights are bit-equal to the uninterrupted run's."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from models import load_pretrained
from models.weights.checkpoint import load_extra

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}  # two that wait for each other on a busy machine take for ever
OPTIONS = (
    "--patch",
    "48",
    "--batch",
    "1",
    "--epochs",
    "4",
    "--milestones",
    "2",
    "--ema",
    "0.9",
    "--save-every",
    "3",
    "--eval-every",
    "2",
)


def command(folder, *options):
    return [sys.executable, str(ROOT / "train_dcinn_ivf_tno.py"), *OPTIONS, "--output", str(folder), *options]


def finished(folder, *options):
    done = subprocess.run(command(folder, *options), env=ONE_THREAD, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(folder):
    with (folder / "train.csv").open() as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def assert_same(one, other):
    states = [load_pretrained(folder / "last.pth").state_dict() for folder in (one, other)]
    assert all(torch.equal(a, b) for a, b in zip(states[0].values(), states[1].values(), strict=True))
    extras = [load_extra(folder / "last.pth")["training"] for folder in (one, other)]
    for key in ("epoch", "step", "total", "best"):
        assert extras[0][key] == extras[1][key]
    for number, moments in extras[0]["optimiser"]["state"].items():
        for name, value in moments.items():
            assert torch.equal(value, extras[1]["optimiser"]["state"][number][name])
    assert all(torch.equal(v, extras[1]["average"][k]) for k, v in extras[0]["average"].items())
    assert rows(one) == rows(other), "the log too"
    best = [load_pretrained(folder / "best.pth").state_dict() for folder in (one, other)]
    assert all(torch.equal(a, b) for a, b in zip(best[0].values(), best[1].values(), strict=True))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    finished(folder)
    assert [row["epoch"] for row in rows(folder)] == ["0", "1", "2", "3"]
    return folder


def wait_for(process, condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the run ended before it was stopped"
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("delay", [0.0, 0.35, 1.1])
def test_killed_at_any_moment(delay, uninterrupted, tmp_path):
    folder = tmp_path / "run"
    process = subprocess.Popen(command(folder), env=ONE_THREAD, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(process, (folder / "last.pth").exists)
    time.sleep(delay)
    process.kill()
    process.wait()
    load_pretrained(folder / "last.pth")
    assert process.returncode == -signal.SIGKILL, "killed in the middle"
    finished(folder, "--resume")
    assert_same(uninterrupted, folder)


def test_stopped_by_ctrl_c(uninterrupted, tmp_path):
    folder = tmp_path / "run"
    process = subprocess.Popen(
        command(folder), env=ONE_THREAD, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(process, (folder / "train.csv").exists)
    wait_for(process, lambda: len(rows(folder)) >= 1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert "--resume goes on" in out + err
    assert load_extra(folder / "last.pth")["training"]["total"] < 16
    finished(folder, "--resume")
    assert_same(uninterrupted, folder)


def test_a_limit_of_steps_in_the_middle_of_an_epoch(uninterrupted, tmp_path):
    """Stops after six steps, goes on in pieces."""
    folder = tmp_path / "run"
    finished(folder, "--steps", "6")
    assert load_extra(folder / "last.pth")["training"]["step"] == 2
    finished(folder, "--resume", "--steps", "7")
    finished(folder, "--resume")
    assert_same(uninterrupted, folder)


def test_a_longer_run_goes_on_from_a_finished_one(uninterrupted, tmp_path):
    short = tmp_path / "short"
    finished(short, "--epochs", "2")  # validated then in both, as every second epoch is
    finished(short, "--resume")
    assert_same(uninterrupted, short)
