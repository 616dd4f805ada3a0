"""Files that can be opened: a pipe keeps whoever opens it waiting, a device never ends."""

from pathlib import Path

from data.errors import DataError

from .size_limits import check_stored

SMALL = 2**26  # bytes; a log of a million epochs


def check_regular(path: Path, expected: str) -> None:
    """DataError where a path, over links if there are some, is no regular file; nothing is opened."""
    try:
        there = path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        there = False
    if not there:
        raise DataError(path, instead(path), expected)


def check_replaceable(*paths: Path) -> None:
    """DataError where something other than a regular file is in the place of a file that is to be written."""
    for path in paths:
        if path.exists() and not path.is_file():
            raise DataError(path, instead(path), "a file or none")


def read_small(path: Path) -> str:
    """A text file that this project wrote, as it is.

    Raises:
        DataError: for what is no regular file, or larger than any of them; nothing is read then.
        UnicodeDecodeError, OSError: as of other files.
    """
    check_regular(path, "a file of text")
    check_stored(path, "a file of text", SMALL)
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def instead(path: Path) -> str:
    """What there is where a regular file is expected, in words."""
    try:
        if path.is_dir():
            return "a folder"
        return "a pipe, socket or device" if path.exists() else "no such file"
    except (OSError, ValueError):
        return "no such file"
