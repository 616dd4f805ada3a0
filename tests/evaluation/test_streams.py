"""Commands whose stdout or stderr is closed, full, or left by its reader: work and exit code are as usual."""

import io
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from forked_commands import FULL, WAYS, code
from outputs import ivf, pairs

from utils.commandline.progress import quiet

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--weights", "untrained", "--limit", 1)
STEP = ("--patch", 32, "--steps", 1, "--eval-every", 9, "--batch", 2)


def hidden_outputs(folder):
    return [p.name for p in folder.rglob("*") if p.is_file() and b"results in" in p.read_bytes()]


@pytest.mark.skipif(not Path(FULL).exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "way", [w if w in {"none of the three", "a full disk"} else pytest.param(w, marks=pytest.mark.slow) for w in WAYS]
)
def test_of_every_command(way, tmp_path):
    scene = tmp_path / "scene.h5"
    with h5py.File(scene, "w") as file:
        rng = np.random.default_rng(0)
        file["ms"], file["pan"] = (rng.integers(200, 900, shape).astype("f4") for shape in ((4, 32, 32), (128, 128)))
    images = pairs(tmp_path / "set")
    commands = {
        "test ps": ("test_dcinn_ps", ("--weights", "untrained", "--data", scene)),
        "metrics": ("utils.evaluation.score:run", ("--task", "ivf", "--data", images, "--fused", images / "vi")),
        "data": ("utils.prepare:run", ("ps", "--data", scene, "--patch", 8, "--stride", 4)),
        "train ivf": ("train_dcinn_ivf_tno", STEP),
    }
    for name, (command, options) in commands.items():
        out = tmp_path / name
        assert code(way, command, (*options, "--output", out)) == 0, name
        assert out.exists(), name
    torch.load(tmp_path / "train ivf/last.pth", weights_only=True)
    assert hidden_outputs(tmp_path) == [], "what is printed goes into no file that was opened in the place of a stream"


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_of_the_other_commands(way, tmp_path):
    two = pairs(tmp_path / "two")
    photographs = ("--first", two / "vi", "--second", two / "ir")
    commands = {
        "test ivf": ("test_dcinn_ivf_tno", ivf(tmp_path)[:-2]),
        "test hmf": ("test_dcinn_hmf", SMALL),
        "test peers": ("test_peers", ("multifocus", *SMALL, "--no-metrics", *photographs)),
        "train ps": ("train_dcinn_ps", STEP),
        "train hmf": ("train_dcinn_hmf", (*STEP, "--stride", 224)),
        "train auif": ("train_peers", ("auif", *STEP)),
    }
    for name, (command, options) in commands.items():
        out = tmp_path / name
        assert code(way, command, (*options, "--output", out)) == 0, name
        assert out.exists(), name
    assert code(way, "utils.export", ("ivf_tno", tmp_path / "net.pt2")) == 0
    assert (tmp_path / "net.pt2").exists()


@pytest.mark.parametrize("way", ["none of the three", "readers that left"])
def test_mistakes_keep_their_code(way, tmp_path):
    assert code(way, "train_dcinn_ivf_tno", ("--lr", "x", "--output", tmp_path / "run")) == 2
    assert code(way, "train_dcinn_ivf_tno", ("--data", tmp_path / "none", "--output", tmp_path / "run")) == 2
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("redirection", ["2>&- <&- >&-", ">/dev/full 2>/dev/full", "| true"])
@pytest.mark.skipif(not Path(FULL).exists(), reason="needs a device that is always full")
def test_to_the_end_of_the_interpreter(redirection, unbuffered, tmp_path):
    """Which flushes its streams, and ends with 120 where it cannot."""
    images = tmp_path / "set"
    pairs(images)
    words = f"--task ivf --data {images} --fused {images / 'vi'} --output {tmp_path / 'out'}"
    line = f"set -o pipefail; {sys.executable} -m metrics {words} {redirection}"
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out/metrics.json").exists()


def test_no_progress_without_a_stream(monkeypatch):
    for stream in (None, io.StringIO()):
        if stream is not None:
            stream.close()
        monkeypatch.setattr(sys, "stderr", stream)
        assert quiet(9)
