"""The folder of a run's results: everything appears at the end, or nothing does."""

import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import numpy as np
import torch

from data.errors import DataError
from metrics.report import CSV_HEADER, Table
from models import DCINN

from .tiling import fuse


class ResultFolder:
    """Files are written to a hidden folder and moved into the target when the block ends without an error.

    The hidden folder is inside the target where that exists, else beside it: so on its file system, and refused before
    any work where nothing can be written. Files of the target that the run does not write are left alone.

    Args:
        target: the folder, made if it is not there.
        inputs: files that must not be replaced by a result.

    Raises:
        OSError: where the target or a parent is a file or cannot be written, a result would replace a folder or an
            input; nothing is moved then.
    """

    def __init__(self, target: str | os.PathLike, inputs: Iterable[Path] = ()) -> None:
        self.target = Path(target)
        self.inputs = {path.resolve() for path in inputs}
        self._made: list[Path] = []

    def __enter__(self) -> "ResultFolder":
        self.place = self.target.resolve()
        if self.place.exists() and not self.place.is_dir():
            raise NotADirectoryError(f"{self.target}: found a file, expected a folder for the results")
        room = self.place if self.place.is_dir() else self.place.parent
        self._made = [p for p in (room, *room.parents) if not p.exists()]
        room.mkdir(parents=True, exist_ok=True)
        self.staging = Path(tempfile.mkdtemp(dir=room, prefix=f".{self.place.name}."))
        return self

    def path(self, name: str) -> Path:
        """Where to write the file `name` ("fused/01.png"); its folder is made."""
        path = self.staging / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write_text(self, name: str, text: str) -> None:
        """Write a text file into the folder."""
        self.path(name).write_text(text, encoding="utf-8", errors="replace")

    def write_tables(self, tables: list[Table], about: dict) -> None:
        """metrics.json, metrics.csv and metrics.md."""
        content = {**about, "tables": [table.as_dict() for table in tables]}
        self.write_text("metrics.json", json.dumps(content, indent=1) + "\n")
        self.write_text("metrics.csv", CSV_HEADER + "".join(table.csv() for table in tables))
        self.write_text("metrics.md", "\n".join(table.markdown() for table in tables))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        done = False
        try:
            if kind is None:
                self._move()
                done = True
        finally:
            shutil.rmtree(self.staging, ignore_errors=True)
            for folder in [] if done else self._made:  # parents that were made for nothing
                try:
                    folder.rmdir()
                except OSError:
                    break

    def _move(self) -> None:
        goals = {p: self.place / p.relative_to(self.staging) for p in sorted(self.staging.rglob("*")) if p.is_file()}
        for goal in goals.values():
            if goal.resolve() in self.inputs:
                raise FileExistsError(f"{goal}: found an input of this run, expected another --output")
            if goal.is_dir():
                raise IsADirectoryError(f"{goal}: found a folder, expected to write a file")
            parents = [p for p in goal.parents if p != self.place and p.is_relative_to(self.place)]
            if any(p.exists() and not p.is_dir() for p in parents):
                raise NotADirectoryError(f"{goal.parent}: found a file, expected a folder")
        for file, goal in goals.items():
            goal.parent.mkdir(parents=True, exist_ok=True)
            file.replace(goal)


class Network(NamedTuple):
    """A model in evaluation mode, what tables call it, and whether it has trained weights."""

    model: DCINN
    label: str
    trained: bool


@dataclass
class Run:
    """What every test script does around its images: names, remarks, timing, tables, the closing lines.

    Attributes:
        name: "ps", "hmf", "ivf_rs", "ivf_tno".
        network: the model, what tables call it, and whether it is trained.
        source: where the images are from, or None for the embedded sample.
        tile: see `tiling.fuse`.
    """

    name: str
    network: Network
    source: str | None
    tile: int = 0
    notes: Counter = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def model(self) -> DCINN:
        """The network."""
        return self.network.model

    @property
    def label(self) -> str:
        """What tables call the network."""
        return self.network.label

    @property
    def caption(self) -> str:
        """One line for figures."""
        return f"{self.label}, {self.source or 'embedded sample'}"

    def fuse(self, base_image: np.ndarray, guide: np.ndarray) -> np.ndarray:
        """(C, H, W) and (c, H, W) float32 in [0, 1] -> (C, H, W) float32."""
        height, width = base_image.shape[1:]
        if (height, width) != tuple(self.model.padded_side(s) for s in (height, width)):
            self.notes[
                f"sides reflected to multiples of {self.model.multiple} pixels (at least {self.model.least}) for the "
                "network, and cropped back"
            ] += 1
        start = time.perf_counter()
        a, b = (torch.from_numpy(np.ascontiguousarray(image))[None] for image in (base_image, guide))
        fused = fuse(self.model, a, b, tile=self.tile)[0].numpy()
        self.seconds += time.perf_counter() - start
        if not np.isfinite(fused).all():
            raise DataError(self.label, "NaN or infinity in the fused image", "finite values; the weights diverge")
        return fused

    def table(self, kind: str, metrics: tuple[str, ...], task: str | None = None, ratio: int | None = None) -> Table:
        """An empty table that says where images and weights are from."""
        origin = self.source or "embedded sample"
        table = Table(f"{kind}: {origin}", task or self.name, metrics, ratio)
        if self.source is None:
            table.remark("Embedded sample, simulated from photographs: shows that the software works, not how well.")
        if not self.network.trained:
            table.remark(
                f"{self.label}: NO TRAINED WEIGHTS, a random start; its fused image is little more than the base plus "
                "an unlearned detail. Give --weights FILE for a trained network."
            )
        return table

    def write(self, folder: ResultFolder, tables: list[Table]) -> dict:
        """Write the tables; returns what metrics.json holds."""
        for table in tables:
            for note, times in sorted(self.notes.items()):
                table.remark(f"{times} x {note}")
        about = {
            "task": self.name,
            "weights": self.label,
            "config": {**self.model.config.as_dict(), "exact": self.model.exact},
            "data": self.source or "embedded sample",
            "tile": self.tile,
            "torch": torch.__version__,
            "device": str(next(self.model.parameters()).device),
        }
        folder.write_tables(tables, about)
        return {**about, "tables": [table.as_dict() for table in tables]}

    def say(self, folder: ResultFolder, tables: list[Table]) -> None:
        """Print the tables and where the results are; after the folder is closed, so that no print can lose them."""
        for table in tables:
            print(table.markdown())
        device = next(self.model.parameters()).device
        images = sum(len(table.images) for table in tables)
        print(f"{images} fused in {self.seconds:.1f} s on {device}; results in {folder.target}")
