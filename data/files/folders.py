"""Lists folders for all readers: hidden entries are skipped, and links are followed."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from data.errors import DataError

LITTER = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "$recycle.bin", "@eadir"}  # not by the user


class Found(NamedTuple):
    """The entries of a folder.

    Attributes:
        paths: files, or folders, sorted.
        notes: one line if entries were skipped or links were followed, else an empty list.
    """

    paths: list[Path]
    notes: list[str]


def is_hidden(path: Path) -> bool:
    """Whether an entry is hidden (.ipynb_checkpoints, ._a.png) or one that operating systems create (thumbs.db)."""
    return path.name.startswith(".") or path.name.lower() in LITTER


def plain_name(path: Path) -> str:
    """Return the file name without suffix in Unicode's NFC form: macOS stores accents as separate characters."""
    return unicodedata.normalize("NFC", path.stem)


def natural(name: str) -> tuple:
    """Return a sort key for natural order: 2 before 10, and 02 beside 2."""
    parts = re.split(r"(\d+)", unicodedata.normalize("NFC", name))  # text, digits, text, ...
    return tuple(int(part) if at % 2 else part for at, part in enumerate(parts)), name


def folders_in(folder: Path) -> Found:
    """Return the subfolders of a folder, including links to folders.

    Raises:
        DataError: if the folder does not exist.
    """
    counts: Counter[str] = Counter()
    paths = [p for p in _entries(folder) if p.is_dir() and not _skipped(p, counts)]
    return Found(paths, _notes(counts))


def files_in(folder: Path, suffixes: Collection[str], expected: str = "a folder", deep: bool = False) -> Found:
    """Return the files of a folder that end in one of `suffixes` (any case).

    Args:
        folder: the folder.
        suffixes: suffixes in lower case, with their dot.
        expected: what the message expects in place of a missing folder.
        deep: also list subfolders, including links to folders. Every folder and file is listed once, by its own path
            rather than by that of a link.

    Raises:
        DataError: if the folder does not exist.
    """
    counts: Counter[str] = Counter()
    if not deep:
        every = [p for p in _entries(folder, expected) if p.suffix.lower() in suffixes]
        return Found([p for p in every if not _skipped(p, counts)], _notes(counts))
    own, linked = [folder], list[Path]()
    seen: set[tuple] = set()
    paths: dict[tuple, Path] = {}
    while own or linked:
        place = own.pop() if own else linked.pop(0)
        if _identity(place) in seen:
            counts["twice"] += 1
            continue
        seen.add(_identity(place))
        counts["links"] += place != folder and place.is_symlink()
        for path in _entries(place, expected):
            is_folder, wanted = path.is_dir(), path.suffix.lower() in suffixes
            if not (is_folder or wanted) or _skipped(path, counts):
                continue
            if is_folder:
                (linked if path.is_symlink() else own).append(path)
                continue
            kept = paths.setdefault(_identity(path), path)
            if kept != path:
                counts["twice"] += 1
                if kept.is_symlink() and not path.is_symlink():
                    paths[_identity(path)] = path
    return Found(sorted(paths.values()), _notes(counts))


def _entries(folder: Path, expected: str = "a folder") -> list[Path]:
    if not folder.is_dir():
        raise DataError(folder, "a file" if folder.exists() else "no such folder", expected)
    return sorted(folder.iterdir())


def _skipped(path: Path, counts: Counter[str]) -> bool:
    """Whether an entry is hidden; if so, it is counted."""
    counts["hidden"] += (hidden := is_hidden(path))
    return hidden


def _identity(path: Path) -> tuple:
    """Return a key of the file that a path leads to; a broken link, which the reader will report, is its own key."""
    try:
        found = path.stat()
    except OSError:
        return (path,)
    return (found.st_dev, found.st_ino) if found.st_ino else (os.path.realpath(path),)


def _notes(counts: Counter[str]) -> list[str]:
    words = (
        ("hidden", "hidden {} skipped", ("entry", "entries")),
        ("links", "linked {} followed", ("folder", "folders")),
        ("twice", "{} to what is there already skipped", ("further path", "further paths")),
    )
    said = [f"{n} {text.format(names[n > 1])}" for kind, text, names in words if (n := counts[kind])]
    return [", ".join(said)] if said else []
