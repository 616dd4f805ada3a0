"""The folder of a run's results: everything appears at the end, or nothing does."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from data.whole import name_file, whole_file
from metrics.report import CSV_HEADER, Table

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

BEFORE = ".before"  # folder of what was there before, inside the hidden one
PATIENCE = 60.0  # seconds that another run may take to move its results


def write_whole(path: Path, text: str) -> None:
    """Write a text file, complete or not at all."""
    with whole_file(path) as file:
        file.write_text(text, encoding="utf-8", newline="")


@contextmanager
def alone(folder: Path, patience: float) -> Iterator[None]:
    """Keep other runs out of a folder meanwhile; nothing is left in it, and a process that is killed lets go of it.

    Args:
        folder: that all of them write to.
        patience: seconds to wait for another run.

    Raises:
        BlockingIOError: where another run has the folder for longer. Systems that cannot lock a folder let all in.
    """
    handle = os.open(folder, os.O_RDONLY) if fcntl else None
    end = time.monotonic() + patience
    try:
        while handle is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    message = f"{folder}: found another run that writes there, expected another --output"
                    raise BlockingIOError(message) from None
                time.sleep(0.05)
            except OSError:  # some network file systems
                break
        yield
    finally:
        if handle is not None:
            os.close(handle)


class ResultFolder:
    """Files are written to a hidden folder and moved into the target when the block ends without an error.

    The hidden folder is inside the target where that exists, else beside it: so on its file system, and refused before
    any work where nothing can be written. Files of the target that the run does not write are left alone. An error or
    Ctrl-C while files are moved puts those of an earlier run back; two runs move one after the other.

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
        if error is not None:
            name_file(error, self.target)
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
        if not self.place.is_dir():
            self._made.insert(0, self.place)
            self.place.mkdir(exist_ok=True)
        with alone(self.place, PATIENCE):
            self._replace(goals)

    def _replace(self, goals: dict[Path, Path]) -> None:
        """Move every file to its place, or put back what was there."""
        before = self.staging / BEFORE
        folders = sorted({p for goal in goals.values() for p in goal.parents if not p.exists()})
        try:
            for folder in (before, *folders):
                folder.mkdir()
            for number, (file, goal) in enumerate(goals.items()):
                if goal.exists():
                    _copy(goal, before / str(number))
                file.replace(goal)
        except BaseException:
            for number, (file, goal) in enumerate(goals.items()):
                if file.exists():  # not moved
                    continue
                if (before / str(number)).exists():
                    (before / str(number)).replace(goal)
                else:
                    goal.unlink(missing_ok=True)
            for folder in reversed(folders):
                if folder.is_dir():
                    folder.rmdir()
            raise


def _copy(file: Path, to: Path) -> None:
    """A second name for a file, or a copy where the file system has no such names."""
    try:
        os.link(file, to)
    except OSError:
        shutil.copy2(file, to)
