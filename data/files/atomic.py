"""Files that are complete or not there: one way of writing for checkpoints, logs, tables and patches."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: str | os.PathLike) -> Iterator[Path]:
    """An empty file beside `path` to write to, on the disk and under its name after the block.

    A reader sees the old file or the new one; after an error, Ctrl-C among them, the old one is as it was.

    Raises:
        OSError: naming `path`, where it cannot be written.
    """
    path = Path(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
