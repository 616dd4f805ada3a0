"""What a training wrote about itself, for its card."""

import csv
import json
import re
from pathlib import Path

from models.weights.checkpoint import load_extra
from utils.commandline.errors import UsageError

FOLDERS = re.compile(r"(?<!\S)/\S+/")  # of a machine, in front of a name


def facts_of(run: Path) -> dict:
    """What a training wrote about itself, without folders of the machine: `run`, `trained`, `best`, `curve`.

    Raises:
        UsageError: for a folder without a training's files, or without a validated epoch.
    """
    for file in ("best.pth", "run.json", "train.csv"):
        if not (run / file).is_file():
            raise UsageError(f"{run / file}: found no such file, expected a training's folder")
    about = json.loads((run / "run.json").read_text(encoding="utf-8"))
    about |= {key: FOLDERS.sub("", about[key]) for key in ("data", "command", "validation") if key in about}
    with (run / "train.csv").open(encoding="utf-8", newline="") as file:
        epochs = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
    rows = [row for row in epochs if measure_of(row)]
    lacking = [key for key in ("hardware", "command", "settings") if key not in about]
    if lacking or not rows:
        raise UsageError(f"{run}: found no {(lacking or ['validated epoch'])[0]}, expected a whole training")
    best = {key: load_extra(run / "best.pth").get(key) for key in ("epoch", "steps")}
    trained = {"epochs": len(epochs), "steps": epochs[-1]["step"], "minutes": sum(e["seconds"] for e in epochs) / 60}
    return {"run": about, "trained": trained, "best": best, "curve": rows}


def measure_of(row: dict) -> str | None:
    """What a training is judged by: the column of train.csv."""
    return next((key for key in ("PSNR", "val_loss") if key in row), None)
