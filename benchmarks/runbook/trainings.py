"""The trainings of gpu.py. Each one's schedule is set once, to fit the time, and kept by later calls."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

from .commands import GRACE, last_line, ran
from .diary import Diary
from .plan import Plan

CHECKPOINTS = 120.0  # seconds between checkpoints
SCRIPTS = {  # script, data, options of the whole schedule, options in miniature
    "hmf": (["train_dcinn_hmf.py"], "hmf", [], "--patch 32 --stride 224 --batch 2 --epochs 2 --save-every 1"),
    "ps": (["train_dcinn_ps.py"], "ps", [], "--patch 16 --batch 64 --epochs 1 --steps 2"),
    "ivf": (["train_dcinn_ivf_tno.py"], "ivf", ["--recipe", "tuned"], "--patch 32 --batch 8 --epochs 1 --steps 2"),
    "defusion": (["train_peers.py", "defusion"], "images", [], "--batch 1 --epochs 1 --steps 1"),
}
MILESTONES = (1 / 8, 1 / 4, 1 / 2, 3 / 4)  # of the released hmf schedule: 50, 100, 200, 300 of 400 epochs


def trained(name: str, switches: Mapping[str, tuple]) -> Callable[[Plan, Diary, dict], None]:
    """Return the function of a step, see `steps.Step`, that starts a training or resumes it.

    Args:
        name: a key of `SCRIPTS`.
        switches: name -> options of the measured switches, see `steps.SWITCHES`.
    """

    def run(plan: Plan, diary: Diary, result: dict) -> None:
        script, key, whole, small = SCRIPTS[name]
        folder, log, data = plan.folder / name, plan.folder / f"{name}.log", plan.data[key]
        if "options" not in result:  # a resumed training keeps its options
            result["options"] = small.split() if plan.small else [*whole, *_schedule(name, plan, diary, switches)]
            diary.write()
        command = [*script, "--output", folder, "--device", plan.device, *result["options"]]
        command += ["--data", data] if data is not None else []
        limit = plan.limit(name) - (0 if plan.small else GRACE / 2)  # for the last checkpoint
        code = ran([*command, *(["--resume"] if folder.exists() else [])], log, limit)
        result.update(_last_row(folder / "train.csv"))
        if code is None:
            result["state"] = "cut"
        elif code:
            raise RuntimeError(f"exit code {code}: {last_line(log)}")

    return run


def _schedule(name: str, plan: Plan, diary: Diary, switches: Mapping[str, tuple]) -> list[str]:
    """Return options from the results of the earlier steps: the fastest switches, and for hmf a schedule.

    The hmf schedule has the fastest batch, a learning rate for it, epochs that fit the time, and checkpoints.
    """
    if name == "defusion":
        return ["--amp", "bf16"] if plan.device == "cuda" else []
    measured = diary.results
    fast = list(switches.get(measured.get("switches", {}).get("fastest", "float32"), ()))
    options = [*map(str, fast), "--on-device"] if name in ("hmf", "ps") else list(map(str, fast))
    rows = measured.get("batch", {}).get("rows", [])
    if name != "hmf" or not rows:
        return [*options, "--save-every", "500"]
    best = max(rows, key=lambda row: row["samples_per_s"])
    rate = (best["batch"] / 16) ** 0.5 * 4e-4  # Adam's: the square root of the batch
    seconds = plan.limit(name) * 0.85
    patches = _patches(plan.data["hmf"])
    epochs = 400
    if patches:
        epochs = max(4, min(400, int(best["steps_per_s"] * seconds / max(patches // best["batch"], 1))))
    milestones = [str(max(1, round(share * epochs))) for share in MILESTONES]
    options += ["--batch", str(best["batch"]), "--lr", f"{rate:g}", "--epochs", str(epochs)]
    options += ["--milestones", *sorted(set(milestones), key=int), "--eval-every", str(max(epochs // 10, 1))]
    return [*options, "--save-every", str(max(1, int(CHECKPOINTS * best["steps_per_s"])))]


def _patches(path: Path | None) -> int | None:
    """Return the number of patches in a prepared file; None for scenes, and for the embedded sample."""
    if path is None or not path.is_file():
        return None
    from data.patches.h5 import H5Patches  # noqa: PLC0415  the folder's scripts set the path first

    return len(H5Patches(path))


def _last_row(file: Path) -> dict[str, float]:
    """Return the last row of a train.csv with a validation, else its last row, column -> number; {} without rows."""
    if not file.exists():
        return {}
    with file.open(newline="") as log:
        rows = list(csv.DictReader(log))
    if not rows:
        return {}
    row = next((row for row in reversed(rows) if row.get("PSNR") or row.get("val_loss")), rows[-1])
    return {name: float(value) for name, value in row.items() if value}
