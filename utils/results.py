"""The folder of a run's results: everything appears at the end, or nothing does."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from metrics.report import CSV_HEADER, Table


def write_whole(path: Path, text: str) -> None:
    """Write a text file, complete or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).chmod(0o644)
    Path(temporary).replace(path)


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
        """metrics.json, metrics.csv, metrics.md and metrics.tex."""
        content = {**about, "tables": [table.as_dict() for table in tables]}
        self.write_text("metrics.json", json.dumps(content, indent=1) + "\n")
        self.write_text("metrics.csv", CSV_HEADER + "".join(table.csv() for table in tables))
        self.write_text("metrics.md", "\n".join(table.markdown() for table in tables))
        self.write_text("metrics.tex", "\n".join(table.latex() for table in tables))

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
