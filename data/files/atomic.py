"""Atomic writing of files, for logs, tables and patches."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .scratch import scratch_folder


@contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[Path]:
    """Give an empty temporary file to write to; after the block it is flushed to disk and renamed to `path`.

    A reader sees the old file or the new one. After an error or Ctrl-C the old file is unchanged. Leftovers of a killed
    process that was writing the same file are removed.

    Raises:
        OSError: naming a path, if the file cannot be written.
    """
    path = Path(path)
    try:
        with scratch_folder(path.parent, path.name) as folder:
            temporary = folder / path.name
            temporary.touch()
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    except BaseException as error:
        name_file(error, path)
        raise


def write_whole(path: Path, text: str) -> None:
    """Write a text file atomically, in UTF-8."""
    with whole_file(path) as file:
        file.write_text(text, encoding="utf-8", newline="")


def name_file(error: BaseException, path: Path) -> None:
    """Set the file name of an OSError that has none, as the error for a full disk."""
    if isinstance(error, OSError) and error.filename is None and error.strerror:
        error.filename = str(path)
