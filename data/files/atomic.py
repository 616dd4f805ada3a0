"""Files that are complete or not there: one way of writing for logs, tables and patches."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .scratch import scratch_folder


@contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[Path]:
    """An empty file near `path` to write to, on the disk and under its name after the block.

    A reader sees the old file or the new one; after an error, Ctrl-C among them, the old one is as it was. What a
    killed process left of writing this file is removed.

    Raises:
        OSError: naming `path`, where it cannot be written.
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
    """Write a text file, complete or not at all."""
    with whole_file(path) as file:
        file.write_text(text, encoding="utf-8", newline="")


def name_file(error: BaseException, path: Path) -> None:
    """Put the file into a full disk's error and the like, of which Python does not say it."""
    if isinstance(error, OSError) and error.filename is None and error.strerror:
        error.filename = str(path)
