"""Checks that a path is a regular file: opening a pipe may block, and reading a device may never end."""

from pathlib import Path

from data.errors import DataError

from .size_limits import check_stored

SMALL = 2**26  # bytes, the largest file that `read_small` reads; enough for a log of a million epochs


def check_regular(path: Path, expected: str) -> None:
    """Raise DataError unless a path, after following links, is a regular file; the file is not opened.

    The message ends in `expected`, for example "an image".
    """
    try:
        there = path.is_file()
    except (OSError, ValueError):  # not a valid file name
        there = False
    if not there:
        raise DataError(path, instead(path), expected)


def check_replaceable(*paths: Path) -> None:
    """Raise DataError if a path to be written exists and is not a regular file."""
    for path in paths:
        if path.exists() and not path.is_file():
            raise DataError(path, instead(path), "a file or none")


def read_small(path: Path) -> str:
    """Return the text of a small UTF-8 file, with its line endings unchanged.

    Raises:
        DataError: if the path is not a regular file, or the file is larger than 64 MiB; it is not read then.
        UnicodeDecodeError, OSError: if the file cannot be decoded or read.
    """
    check_regular(path, "a file of text")
    check_stored(path, "a file of text", SMALL)
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def instead(path: Path) -> str:
    """Return, for messages, the kind of object at a path that is not a regular file ("a folder", ...)."""
    try:
        if path.is_dir():
            return "a folder"
        return "a pipe, socket or device" if path.exists() else "no such file"
    except (OSError, ValueError):
        return "no such file"
