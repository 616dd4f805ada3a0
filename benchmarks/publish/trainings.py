"""Reads the files that a training wrote, for the card of its weights."""

import csv
import json
import re
from pathlib import Path

from models.weights.checkpoint import load_extra
from utils.commandline.errors import UsageError

FOLDERS = re.compile(r"(?<!\S)/\S+/")  # the folders of an absolute path


def facts_of(run: Path) -> dict:
    """Return a description of a training.

    Args:
        run: folder of the training.

    Returns:
        A dictionary with `run` (the content of run.json, paths without their folders), `trained` (number of epochs,
        steps and minutes), `best` (epoch and steps of best.pth) and `curve` (the rows of validated epochs in
        train.csv).

    Raises:
        UsageError: for a folder without the files of a training, or without a validated epoch.
    """
    for file in ("best.pth", "run.json", "train.csv"):
        if not (run / file).is_file():
            raise UsageError(f"{run / file}: found no such file, expected a training's folder")
    about = json.loads((run / "run.json").read_text(encoding="utf-8"))
    about |= {
        key: FOLDERS.sub("", about[key]) for key in ("data", "command", "validation", "weights") if about.get(key)
    }
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
    """Return the column of train.csv that validation is judged by, PSNR or val_loss; None if the row has neither."""
    return next((key for key in ("PSNR", "val_loss") if key in row), None)
