"""Hidden folders for incomplete files. A process that writes the same file later removes what killed ones left."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".part"
LONGEST = 50  # characters of the file's name in the hidden folder's name


class Scratch:
    """A hidden folder that is locked until `let_go`, or until the process ends in any way.

    Args:
        place: the folder to create it in.
        name: name of the file or folder that will be written in it.

    Attributes:
        path: the hidden folder.

    Raises:
        OSError: naming `place`/`name`, if it cannot be created.
    """

    def __init__(self, place: Path, name: str) -> None:
        try:
            while True:
                self.path = Path(tempfile.mkdtemp(dir=place, prefix=f".{name[:LONGEST]}.", suffix=SUFFIX))
                self._handle = _held(self.path)
                if self.path.is_dir():
                    return
                self.let_go()  # another process removed it before it was locked
        except OSError as error:
            error.filename = str(place / name)
            raise

    def let_go(self) -> None:
        """Release the lock, so that the folder counts as abandoned."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


@contextmanager
def scratch_folder(place: Path, name: str) -> Iterator[Path]:
    """Give the path of a new `Scratch` to the block, and remove the folder with its content at the end.

    Folders that killed processes left for the same name are removed first.
    """
    remove_abandoned(place, name)
    scratch = Scratch(place, name)
    try:
        yield scratch.path
    finally:
        shutil.rmtree(scratch.path, ignore_errors=True)
        scratch.let_go()


def remove_abandoned(place: Path, name: str, spared: Callable[[Path], bool] = lambda _: False) -> None:
    """Remove the folders of `Scratch(place, name)` that killed processes left.

    Systems that cannot lock folders keep them.

    Args:
        place, name: see `Scratch`.
        spared: function that returns whether to keep a folder.
    """
    ours = re.compile(re.escape(f".{name[:LONGEST]}.") + r"[a-z0-9_]{8}" + re.escape(SUFFIX))
    try:
        found = [Path(entry) for entry in os.scandir(place) if ours.fullmatch(entry.name)]
    except OSError:
        return
    for folder in found:
        if folder.is_symlink() or not folder.is_dir():
            continue
        handle = _held(folder, wait=False)
        if handle is None:
            continue
        try:
            if not spared(folder):
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(handle)


def _held(folder: Path, wait: bool = True) -> int | None:
    """Return an open handle with the folder's lock; None if another process has the lock, or locking fails."""
    if fcntl is None:
        return None
    handle = None
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return handle
    if handle is not None:
        os.close(handle)
    return None
