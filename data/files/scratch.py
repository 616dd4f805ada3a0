"""Hidden folders for files that are not complete yet; those of killed processes go when the next one begins."""

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
LONGEST = 50  # characters of a hidden name that are the file's


class Scratch:
    """A hidden folder, marked as in use until it is let go or the process ends, however it ends.

    Args:
        place: the folder that it is made in.
        name: of the file or folder that it is for.

    Attributes:
        path: where it is.

    Raises:
        OSError: naming `place`/`name`, where it cannot be made.
    """

    def __init__(self, place: Path, name: str) -> None:
        try:
            while True:
                self.path = Path(tempfile.mkdtemp(dir=place, prefix=f".{name[:LONGEST]}.", suffix=SUFFIX))
                self._handle = _held(self.path)
                if self.path.is_dir():
                    return
                self.let_go()  # another process took it for abandoned before it was held
        except OSError as error:
            error.filename = str(place / name)
            raise

    def let_go(self) -> None:
        """From now on it counts as abandoned."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


@contextmanager
def scratch_folder(place: Path, name: str) -> Iterator[Path]:
    """A `Scratch` for the block, removed with all that is in it; before it, those that killed processes left."""
    remove_abandoned(place, name)
    scratch = Scratch(place, name)
    try:
        yield scratch.path
    finally:
        shutil.rmtree(scratch.path, ignore_errors=True)
        scratch.let_go()


def remove_abandoned(place: Path, name: str, spared: Callable[[Path], bool] = lambda _: False) -> None:
    """Remove what killed processes left of `Scratch(place, name)`; where folders cannot be locked, nothing.

    Args:
        place, name: see `Scratch`.
        spared: whether one stays.
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
    """An open handle that has the folder's lock; None where another process has it, or it cannot be locked."""
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
