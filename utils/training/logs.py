"""What a training leaves behind beside its checkpoints: train.csv, TensorBoard's files, run.json."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np

from data.errors import DataError
from data.files.atomic import write_whole
from data.files.regular_file import read_small


class Logs:
    """One row an epoch in train.csv, the same numbers and images in tensorboard/, there all over the step.

    Args:
        folder: of the run.
        columns: of train.csv, after epoch and step.
        config: of the run, for run.json and TensorBoard.
        epochs, steps: of an earlier run that this one goes on from; what it logged later is left out.
    """

    def __init__(self, folder: Path, columns: list[str], config: dict, epochs: int = 0, steps: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  slow to import

        self.file, self.columns = folder / "train.csv", ["epoch", "step", *columns]
        rows = log_rows(self.file) if steps else []
        write_whole(folder / "run.json", json.dumps(config, indent=1) + "\n")
        self._write([row for row in rows if int(row["epoch"]) < epochs])
        # from 0 on: also what a run logged there that was killed before it had a checkpoint
        self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=steps + 1 if steps else 0)
        self.board.add_text("config", "```\n" + json.dumps(config, indent=1) + "\n```")

    def row(self, epoch: int, step: int, values: dict[str, float]) -> None:
        """Add the row of an epoch; the file is complete after every row."""
        rows = log_rows(self.file)
        self._write([*rows, {"epoch": epoch, "step": step, **values}])
        self.scalars("epoch", values, step)
        self.board.flush()

    def scalars(self, place: str, values: dict[str, float], step: int) -> None:
        """Values of one step, for TensorBoard only."""
        for name, value in values.items():
            self.board.add_scalar(f"{place}/{name}", value, step)

    def image(self, name: str, image: np.ndarray, step: int) -> None:
        """(H, W) or (H, W, 3) in [0, 1], for TensorBoard only."""
        self.board.add_image(name, np.clip(image, 0, 1), step, dataformats="HW" if image.ndim == 2 else "HWC")

    def close(self) -> None:
        """Finish TensorBoard's file."""
        self.board.close()

    def _write(self, rows: list[dict]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_whole(self.file, text.getvalue())


def log_rows(file: Path) -> list[dict]:
    """The rows of a train.csv, none where it is not there; DataError for other files."""
    if not file.exists():
        return []
    try:
        rows = list(csv.DictReader(io.StringIO(read_small(file), newline="")))
    except (UnicodeDecodeError, csv.Error):
        rows = [{}]
    if not all(re.fullmatch("[0-9]{1,9}", row.get("epoch") or "") for row in rows):
        raise DataError(file, "no readable log", "the train.csv of this run, or none")
    return rows
