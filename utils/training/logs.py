"""The logs of a training: train.csv, TensorBoard's files, and run.json."""

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
    """Writes one row per epoch to train.csv, and the same numbers and images against the step count to tensorboard/.

    Args:
        folder: the run's folder.
        columns: columns of train.csv after epoch and step.
        config: description of the run, for run.json and TensorBoard.
        epochs, steps: counts at which this run resumes an earlier one; later entries of that one are removed.
    """

    def __init__(self, folder: Path, columns: list[str], config: dict, epochs: int = 0, steps: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  slow to import

        self.file, self.columns = folder / "train.csv", ["epoch", "step", *columns]
        rows = log_rows(self.file) if steps else []
        write_whole(folder / "run.json", json.dumps(config, indent=1) + "\n")
        self._write([row for row in rows if int(row["epoch"]) < epochs])
        # 0 also removes the entries of a run that was killed before its first checkpoint
        self.board = SummaryWriter(str(folder / "tensorboard"), purge_step=steps + 1 if steps else 0)
        self.board.add_text("config", "```\n" + json.dumps(config, indent=1) + "\n```")

    def row(self, epoch: int, step: int, values: dict[str, float]) -> None:
        """Add the row of an epoch. The file is rewritten atomically, so it is always complete."""
        rows = log_rows(self.file)
        self._write([*rows, {"epoch": epoch, "step": step, **values}])
        self.scalars("epoch", values, step)
        self.board.flush()

    def scalars(self, place: str, values: dict[str, float], step: int) -> None:
        """Add values of one step, to TensorBoard only."""
        for name, value in values.items():
            self.board.add_scalar(f"{place}/{name}", value, step)

    def image(self, name: str, image: np.ndarray, step: int) -> None:
        """Add an image (H, W) or (H, W, 3) in [0, 1], to TensorBoard only."""
        self.board.add_image(name, np.clip(image, 0, 1), step, dataformats="HW" if image.ndim == 2 else "HWC")

    def close(self) -> None:
        """Close TensorBoard's file."""
        self.board.close()

    def _write(self, rows: list[dict]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_whole(self.file, text.getvalue())


def log_rows(file: Path) -> list[dict]:
    """Return the rows of a train.csv as dictionaries; none if there is no file. Raises DataError for another file."""
    if not file.exists():
        return []
    try:
        rows = list(csv.DictReader(io.StringIO(read_small(file), newline="")))
    except (UnicodeDecodeError, csv.Error):
        rows = [{}]
    if not all(re.fullmatch("[0-9]{1,9}", row.get("epoch") or "") for row in rows):
        raise DataError(file, "no readable log", "the train.csv of this run, or none")
    return rows
