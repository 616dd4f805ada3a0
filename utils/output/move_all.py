"""Moving many files: all of them, or none."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from utils.commandline.signals import deaf


def move_all(moves: Mapping[Path, Path], scratch: Path) -> None:
    """Move every file to its goal and replace what is there; an error or Ctrl-C on the way puts everything back.

    Args:
        moves: file -> goal, in the order of the moves; on one file system. Folders are made.
        scratch: an empty folder there, for what was at the goals. Where putting back fails it holds the rest.
    """
    folders = sorted({p for goal in moves.values() for p in goal.parents if not p.exists()})
    try:
        for folder in folders:
            folder.mkdir()
        for number, (file, goal) in enumerate(moves.items()):
            if goal.exists():
                second_name(goal, scratch / str(number))
            file.replace(goal)
    except BaseException:
        with deaf():
            for number, (file, goal) in reversed(list(enumerate(moves.items()))):
                was = scratch / str(number)
                if file.exists():  # not moved
                    was.unlink(missing_ok=True)
                    continue
                goal.replace(file)
                if was.exists():
                    was.replace(goal)
            for folder in reversed(folders):
                if folder.is_dir():
                    folder.rmdir()
        raise


def second_name(file: Path, to: Path) -> None:
    """A second name for a file, or a copy where the file system has no such names."""
    try:
        os.link(file, to)
    except OSError:
        shutil.copy2(file, to)
