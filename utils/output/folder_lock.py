"""One run at a time writes to a folder."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@contextmanager
def alone(folder: Path, patience: float) -> Iterator[bool]:
    """Keep other runs out of a folder meanwhile; nothing is left in it, and a process that is killed lets go of it.

    Gives whether the system can lock the folder; one that cannot lets all in.

    Args:
        folder: that all of them write to.
        patience: seconds to wait for another run.

    Raises:
        BlockingIOError: where another run has the folder for longer.
    """
    handle = os.open(folder, os.O_RDONLY) if fcntl else None
    end, locked = time.monotonic() + patience, False
    try:
        while handle is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                locked = True
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    message = f"{folder}: found another run that writes there, expected another --output"
                    raise BlockingIOError(message) from None
                time.sleep(0.05)
            except OSError:  # some network file systems
                break
        yield locked
    finally:
        if handle is not None:
            os.close(handle)
