"""The folder of a run's results: all of them appear at the end, or none."""

import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType

from data.files.atomic import name_file
from data.files.regular_file import instead, read_small
from data.files.scratch import Scratch, remove_abandoned
from metrics import table_text
from metrics.table import Table
from utils.commandline.signals import deaf

from .folder_lock import alone
from .move_all import move_all

TABLES = ("metrics.json", "metrics.csv", "metrics.md", "metrics.tex")
BEFORE = "before"  # folder in the target for files of earlier runs that the last one did not write
SCRATCH = ".before"  # folder in the hidden folder for backups of the files being replaced
PATIENCE = 60.0  # seconds that another run may take to move its results


class ResultFolder:
    """Collects files in a hidden folder and moves them into the target when the block ends without an error.

    The hidden folder is inside the target if that exists, else beside it. So it is on the same file system, and a
    target that cannot be written is refused before any work. A folder of images never mixes two runs: files that
    earlier runs wrote to it, as listed in metrics.json, are moved to the target's folder "before". Other files are not
    touched. An error or Ctrl-C while files are moved undoes all moves, and two runs move one after the other. A killed
    run's hidden folder is removed at the start of the next run; if it was killed while moving, at the end of that run.

    Args:
        target: the folder, created if it does not exist.
        inputs: files that a result must not replace.

    Raises:
        OSError: if the target or a parent is a file or cannot be written, or a result would replace a folder or an
            input; nothing is moved then.
    """

    def __init__(self, target: str | os.PathLike, inputs: Iterable[Path] = ()) -> None:
        self.target = Path(target)
        self.inputs = {path.resolve() for path in inputs}
        self.content: dict | None = None
        self.put_away = 0  # number of files of earlier runs that were moved to "before"
        self.made: list[Path] = []  # parent folders that this run has created

    def __enter__(self) -> "ResultFolder":
        self.place = self.target.resolve()
        if self.place.exists() and not self.place.is_dir():
            raise NotADirectoryError(f"{self.target}: found a file, expected a folder for the results")
        room = self.place if self.place.is_dir() else self.place.parent
        nearest = next(p for p in (room, *room.parents) if p.exists())
        if not nearest.is_dir():
            raise NotADirectoryError(f"{nearest}: found a file, expected a folder for the results (--output)")
        self._check(self.place / name for name in TABLES)
        self.made = [p for p in (room, *room.parents) if not p.exists()]
        room.mkdir(parents=True, exist_ok=True)
        self._remove_abandoned(holds_earlier)
        self._scratch = Scratch(room, self.place.name)
        self.staging = self._scratch.path
        return self

    def path(self, name: str) -> Path:
        """Return the path to write the file `name` ("fused/01.png") to, and create its folder."""
        path = self.staging / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write_text(self, name: str, text: str) -> None:
        """Write a text file, in UTF-8, into the folder."""
        self.path(name).write_text(text, encoding="utf-8", errors="replace")

    def write_tables(self, tables: list[Table], about: dict) -> None:
        """Write metrics.json, which will list the files of the folder's runs, and any tables as .csv, .md and .tex."""
        self.content = {**about, "tables": [table.as_dict() for table in tables]}
        self.write_text(TABLES[0], "")  # its content follows when the files are moved
        if tables:
            self.write_text(
                "metrics.csv", table_text.CSV_HEADER + "".join(table_text.csv_rows(table) for table in tables)
            )
            self.write_text("metrics.md", "\n".join(table_text.markdown(table) for table in tables))
            self.write_text("metrics.tex", "\n".join(table_text.latex(table) for table in tables))

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
            with deaf():
                self._clean(done)

    def _clean(self, done: bool) -> None:
        if done or not holds_earlier(self.staging):  # otherwise undoing has failed
            shutil.rmtree(self.staging, ignore_errors=True)
        self._scratch.let_go()
        if done:
            self._remove_abandoned(lambda _: False)
        else:
            self._unmake()

    def _unmake(self) -> None:
        """Remove the created parent folders, as long as they are empty."""
        for folder in self.made:
            try:
                folder.rmdir()
            except OSError:
                break

    def _remove_abandoned(self, spared: Callable[[Path], bool]) -> None:
        for room in (self.place, self.place.parent):
            remove_abandoned(room, self.place.name, spared)

    def _move(self) -> None:
        staged = sorted(p for p in self.staging.rglob("*") if p.is_file())
        goals = {p: self.place / p.relative_to(self.staging) for p in staged}
        self._check(goals.values())
        if not self.place.is_dir():
            self.made.insert(0, self.place)
            self.place.mkdir(exist_ok=True)
        with alone(self.place, PATIENCE):
            earlier = listed(self.place) if self.content else set()
            folders = {goal.parent for goal in goals.values() if goal.name not in TABLES}
            stale = sorted(f for f in earlier - set(goals.values()) - self.inputs if f.parent in folders)
            away = {file: self.place / BEFORE / file.relative_to(self.place) for file in stale}
            self._check(away.values())
            if self.content:
                files = (p.relative_to(self.place).as_posix() for p in earlier.union(goals.values()).difference(stale))
                text = json.dumps({**self.content, "files": sorted(files)}, indent=1)
                self.write_text(TABLES[0], text + "\n")
            scratch = self.staging / SCRATCH
            scratch.mkdir()
            move_all({**away, **goals}, scratch)
        self.put_away = len(stale)

    def _check(self, goals: Iterable[Path]) -> None:
        """Raise OSError if a goal is an input, a folder or not a regular file, or its parent is a file."""
        for goal in goals:
            if goal.resolve() in self.inputs:
                raise FileExistsError(f"{goal}: found an input of this run, expected another --output")
            if goal.is_dir():
                raise IsADirectoryError(f"{goal}: found a folder, expected to write a file")
            if goal.exists() and not goal.is_file():
                raise FileExistsError(f"{goal}: found {instead(goal)}, expected another --output")
            parents = [p for p in goal.parents if p != self.place and p.is_relative_to(self.place)]
            if any(p.exists() and not p.is_dir() for p in parents):
                raise NotADirectoryError(f"{goal.parent}: found a file, expected a folder")


def listed(folder: Path) -> set[Path]:
    """Return the existing files of earlier runs, as listed in metrics.json of their (resolved) folder."""
    try:
        names = json.loads(read_small(folder / TABLES[0]))["files"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):  # no metrics.json, or not ours
        return set()
    paths = {folder / name for name in names if isinstance(name, str)} if isinstance(names, list) else set()
    return {path for path in paths if _is_inside(path, folder)}


def holds_earlier(staging: Path) -> bool:
    """Whether a hidden folder still holds backups of replaced files."""
    return any((staging / SCRATCH).glob("*"))


def _is_inside(path: Path, home: Path) -> bool:
    try:
        return path.is_file() and path == path.resolve() and path.is_relative_to(home)
    except (OSError, ValueError):  # not a valid file name
        return False
