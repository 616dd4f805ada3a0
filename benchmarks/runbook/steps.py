"""The steps of gpu.py, most valuable first. A step fills its result; one that is cut is continued by the next call.

Every step takes the plan of the call, the diary, and its own result, which may hold entries of an earlier call.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .commands import last_line, ran
from .diary import Diary
from .plan import Plan
from .trainings import trained

SWITCHES = {
    "float32": (),
    "TF32": ("--tf32",),
    "TF32, channels last": ("--tf32", "--channels-last"),
    "TF32, graph": ("--tf32", "--graph"),
    "TF32, channels last, graph": ("--tf32", "--channels-last", "--graph"),
    "bf16, channels last, graph": ("--amp", "bf16", "--channels-last", "--graph"),
    "TF32, compiled": ("--tf32", "--compile", "default"),
    "TF32, compiled, its graphs": ("--tf32", "--compile", "reduce-overhead"),
}
SAFE = 0.8  # largest share of the device's memory that a batch may take


class Step(NamedTuple):
    """A step: its function, and the largest share of the call's time that it may take."""

    run: Callable[[Plan, Diary, dict], None]
    share: float


def checks(plan: Plan, diary: Diary, result: dict) -> None:
    """Compare the networks with float64, then run the tests. Raises RuntimeError if a network differs."""
    end = time.monotonic() + plan.limit("checks")
    log, rows = diary.folder / "checks.log", diary.folder / "checks.json"
    side = 16 if plan.small else 64
    code = ran(
        ["benchmarks/runbook/on_device.py", "--device", plan.device, "--side", side, "--output", rows],
        log,
        end - time.monotonic(),
        grace=0,
    )
    if rows.exists():
        result["rows"] = json.loads(rows.read_text())
    result["agree"] = {0: "yes", None: "not finished"}.get(code, "no")
    diary.write()
    tests = ["tests/cuda_ready/test_planted.py"] if plan.small else ["tests/cuda_ready", "tests/networks"]
    chosen = ["-k", "counted"] if plan.small else []
    code = ran(
        ["-m", "pytest", "-q", "-n", "0" if plan.small else "4", *chosen, *tests], log, end - time.monotonic(), 0
    )
    result["tests"] = f"{ {0: 'passed', None: 'not finished'}.get(code, 'failed') } ({last_line(log)})"
    if result["agree"] == "no":
        raise RuntimeError("a network differs from float64, see checks.log")


def speed(plan: Plan, diary: Diary, result: dict) -> None:
    """Run speed.py for each task, inference and training; a task that is cut is run again by the next call."""
    end = time.monotonic() + plan.limit("speed")
    parts = result.setdefault("parts", [])
    sizes = ["16"] if plan.small else ["256", "512"]
    repeats = 1 if plan.small else 5
    wanted = {
        "inference": ["--sizes", *sizes],
        "training": ["--training", "--sizes", "16" if plan.small else "64", "--batch", 1 if plan.small else 16],
    }
    if plan.device == "cuda":
        wanted.update({f"{name}, TF32": [*options, "--tf32"] for name, options in tuple(wanted.items())})
    tasks = ["ivf"] if plan.small else ["hmf", "ps", "ivf"]
    for name, options in wanted.items():
        for task in tasks:
            part = f"{name} {task}"
            if part in parts:
                continue
            row_file = diary.folder / "speed.json"
            command = ["benchmarks/speed.py", "--tasks", task, "--device", plan.device, "--repeats", repeats]
            log = diary.folder / "speed.log"
            code = ran([*command, *options, "--keep", row_file], log, end - time.monotonic(), grace=0)
            if code is None:
                result["state"] = "cut"
                return
            parts.append(part if code == 0 else f"{part}: {last_line(log)}")
            if code == 0:
                result["rows"] = result.get("rows", []) + _speed_rows(row_file, part)
                row_file.unlink()
            diary.write()


def _speed_rows(file: Path, part: str) -> list[dict]:
    names = ("task", "size", "batch", "variant", "seconds", "speedup", "peak_MB", "difference")
    return [{"part": part, **{n: row[n] for n in names}} for row in json.loads(file.read_text())["rows"]]


def switches(plan: Plan, diary: Diary, result: dict) -> None:
    """Measure the rate of the hmf training with each of `SWITCHES`."""
    end = time.monotonic() + plan.limit("switches")
    rows = result.setdefault("rows", [])
    names = list(SWITCHES)[:2] if plan.small else list(SWITCHES)
    batch, patch = (1, 16) if plan.small else (16, 64)
    for name in names:
        if name in {row["switches"] for row in rows}:
            continue
        row = measured(plan, SWITCHES[name], batch, patch, "switches", end - time.monotonic())
        if row is None and end - time.monotonic() <= 0:
            result["state"] = "cut"
            return
        rows.append({"switches": name, **(row or {"failed": last_line(diary.folder / "switches.log")})})
        diary.write()
    exact = [row for row in rows if "samples_per_s" in row and not row["switches"].startswith("bf16")]
    if exact:
        result["fastest"] = max(exact, key=lambda row: row["samples_per_s"])["switches"]


def measured(plan: Plan, options: tuple, batch: int, patch: int, log: str, seconds: float) -> dict | None:
    """Return a row of rate.py; None if it failed or was stopped.

    Args:
        plan: the plan of the call.
        options: switches of the training.
        batch, patch: patches per step, and their side in pixels.
        log: name of the log, without suffix.
        seconds: time limit.
    """
    file = plan.folder / "row.json"
    file.unlink(missing_ok=True)
    command = ["benchmarks/runbook/rate.py", "--device", plan.device, "--batch", batch, "--patch", patch]
    command += ["--seconds", 0.1 if plan.small else 5, "--output", file, *options]
    ran(command, plan.folder / f"{log}.log", seconds, grace=0)
    return json.loads(file.read_text()) if file.exists() else None


def batch(plan: Plan, diary: Diary, result: dict) -> None:
    """Measure the hmf training with batches of 16, 32, ... while they fit in the memory and are faster per sample.

    Raises RuntimeError if not even the first batch can be trained.
    """
    end = time.monotonic() + plan.limit("batch")
    options = SWITCHES[diary.results.get("switches", {}).get("fastest", "float32")]
    rows = result.setdefault("rows", [])
    size, most = (1, 2) if plan.small else (16, 1024)
    while size <= most:
        row = measured(plan, options, size, 16 if plan.small else 64, "batch", end - time.monotonic())
        if row is None or (row["peak_GB"] and row["peak_GB"] > SAFE * row["memory_GB"]):
            break
        if rows and row["samples_per_s"] < 1.03 * rows[-1]["samples_per_s"] and not plan.small:
            rows.append(row)
            break  # a larger batch is not faster
        rows.append(row)
        diary.write()
        size *= 2
    if not rows:
        raise RuntimeError(f"no batch could be trained: {last_line(diary.folder / 'batch.log')}")
    result["largest"] = rows[-1]["batch"]
    result["fastest"] = max(rows, key=lambda row: row["samples_per_s"])["batch"]


STEPS = {
    "checks": Step(checks, 0.15),
    "speed": Step(speed, 0.2),
    "switches": Step(switches, 0.2),
    "batch": Step(batch, 0.1),
    "hmf": Step(trained("hmf", SWITCHES), 0.5),
    "ps": Step(trained("ps", SWITCHES), 0.3),
    "ivf": Step(trained("ivf", SWITCHES), 0.5),
    "defusion": Step(trained("defusion", SWITCHES), 1.0),
}
