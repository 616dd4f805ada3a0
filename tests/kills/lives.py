"""One training, killed and started again until it ends, against the same one undisturbed."""

import csv
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import torch

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 600.0  # seconds, for a training of seconds on a machine with other work
IVF = ("ivf", "--patch", "32", "--batch", "1", "--epochs", "5", "--milestones", "2", "--save-every", "3")
PS = ("ps", "--patch", "16", "--batch", "4", "--epochs", "3", "--milestones", "1", "--save-every", "2", "--steps", "9")


class Setup(NamedTuple):
    """Options of a training, and of how many processes it is."""

    options: tuple[str, ...]
    processes: int = 1


SETUPS = {
    "workers": Setup((*IVF, "--workers", "2", "--ema", "0.9")),
    "bf16": Setup((*IVF, "--amp", "bf16")),
    "in parts": Setup((*PS, "--recompute", "--at-once", "2", "--ema", "0.5")),
    "two processes": Setup((*IVF[:3], "--batch", "2", *IVF[5:]), processes=2),
    "all together": Setup((*PS, "--amp", "bf16", "--workers", "1", "--recompute", "--at-once", "1"), processes=2),
}


class Life(NamedTuple):
    """How a training went.

    Attributes:
        moments: seconds after the start of the process, at which it was killed, and what its folder held then.
        differences: from the undisturbed one; none is what is asked for.
    """

    moments: list[tuple[float, str]]
    differences: list[str]


def undisturbed(setup: Setup, folder: Path) -> tuple[float, float]:
    """Run it to the end; seconds from the start of the process to that of the training, and to the end."""
    process, start, began = _started(setup, folder), time.monotonic(), None
    while process.poll() is None:
        if began is None and (folder / "run.json").exists():
            began = time.monotonic() - start
        time.sleep(0.01)
    end = time.monotonic() - start
    _well(process, folder)
    return began if began is not None else end, end


def killed(setup: Setup, folder: Path, whole: Path, times: tuple[float, float], kills: int, rng: random.Random) -> Life:
    """Kill it so often at random moments, one in four of the whole life, the others while it trains; then let it end.

    Args:
        setup: of the training.
        folder, whole: its own, and that of the undisturbed one.
        times: of `undisturbed`.
        kills: how often.
        rng: decides the moments, and what is killed of several processes.
    """
    moments = []
    for _ in range(kills):
        process, start = _started(setup, folder, *_going_on(folder, rng)), time.monotonic()
        early = rng.random() < 0.25
        moment = rng.uniform(0, times[1]) if early else rng.uniform(0, times[1] - times[0])
        stamp = _stamp(folder)
        while not early and _stamp(folder) == stamp and process.poll() is None:
            time.sleep(0.002)
        time.sleep(moment)
        if process.poll() is None:
            _kill(process, setup, rng)
            moments.append((time.monotonic() - start, _held(folder)))
        _ended(process)
    _well(_started(setup, folder, *_going_on(folder, rng)), folder)
    return Life(moments, differences(folder, whole))


def differences(one: Path, other: Path) -> list[str]:
    """What two finished runs do not share: checkpoints to the bit, the log but for the seconds; and leftovers."""
    found = [name for name in ("last.pth", "best.pth") if not _same(_load(one / name), _load(other / name))]
    if _rows(one) != _rows(other):
        found.append("train.csv")
    return found + [f"left over: {p.name}" for p in one.iterdir() if p.name.startswith(".")]


def _started(setup: Setup, folder: Path, *more: str) -> subprocess.Popen:
    several = ("torch.distributed.run", "--standalone", f"--nproc_per_node={setup.processes}", "-m")
    module = ("-m", *(several if setup.processes > 1 else ()), "tests.kills.training")
    command = [sys.executable, *module, *setup.options, "--output", str(folder), *more]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CI": "true"}
    with folder.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)


def _going_on(folder: Path, rng: random.Random) -> tuple[str, ...]:
    """--resume where it must be, nothing where it must not, either where both are right."""
    if (folder / "last.pth").exists() or (folder / "best.pth").exists():
        return ("--resume",)
    return ("--resume",) if (folder / "run.json").exists() and rng.random() < 0.5 else ()


def _kill(process: subprocess.Popen, setup: Setup, rng: random.Random) -> None:
    """The training process alone; of several, one at random, or all with torchrun's own."""
    below = sorted(_below(process.pid)) if setup.processes > 1 else []
    if below and rng.random() < 0.5:
        os.kill(rng.choice(below), signal.SIGKILL)
        return
    for number in (process.pid, *below):
        os.kill(number, signal.SIGKILL)


def _below(parent: int) -> list[int]:
    """The processes that this one started."""
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    return [int(number) for number in text.split()]


def _ended(process: subprocess.Popen) -> int:
    try:
        return process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def _well(process: subprocess.Popen, folder: Path) -> None:
    """AssertionError, with what it printed, for a training that did not end well."""
    code = _ended(process)
    if code:
        said = folder.with_suffix(".log").read_text(encoding="utf-8", errors="replace")
        raise AssertionError(f"exit code {code}: {said[-2000:]}")


def _stamp(folder: Path) -> int | None:
    file = folder / "run.json"
    return file.stat().st_mtime_ns if file.exists() else None


def _held(folder: Path) -> str:
    return ", ".join(sorted(p.name for p in folder.iterdir())) if folder.is_dir() else "nothing"


def _rows(folder: Path) -> list[dict]:
    with (folder / "train.csv").open(newline="", encoding="utf-8") as file:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]


def _load(file: Path) -> object:
    return torch.load(file, weights_only=True) if file.exists() else None


def _same(one: object, other: object) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other
