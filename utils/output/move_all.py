"""Moves many files: all of them, or none."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from utils.commandline.signals import deaf


def move_all(moves: Mapping[Path, Path], scratch: Path) -> None:
    """Move every file to its goal, replacing existing files; an error or Ctrl-C on the way undoes all moves.

    Args:
        moves: file -> goal, in the order of the moves, all on one file system. Missing folders are created.
        scratch: an empty folder on the same file system, for backups of replaced files. If undoing fails, it holds
            those that are not back in place.
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
    """Give a file a second name (a hard link); copy it if the file system has no hard links."""
    try:
        os.link(file, to)
    except OSError:
        shutil.copy2(file, to)
