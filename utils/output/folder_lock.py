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
def alone(folder: Path, patience: float) -> Iterator[None]:
    """Keep other runs out of a folder meanwhile; nothing is left in it, and a process that is killed lets go of it.

    Args:
        folder: that all of them write to.
        patience: seconds to wait for another run.

    Raises:
        BlockingIOError: where another run has the folder for longer. Systems that cannot lock a folder let all in.
    """
    handle = os.open(folder, os.O_RDONLY) if fcntl else None
    end = time.monotonic() + patience
    try:
        while handle is not None:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    message = f"{folder}: found another run that writes there, expected another --output"
                    raise BlockingIOError(message) from None
                time.sleep(0.05)
            except OSError:  # some network file systems
                break
        yield
    finally:
        if handle is not None:
            os.close(handle)
