"""A lock on a folder, so that one run at a time writes to it."""

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
    """Lock a folder inside the block.

    No lock file is left, and the lock ends with the process. The context's value is whether the folder is locked; some
    systems cannot lock, and then all runs may enter.

    Args:
        folder: the folder to lock.
        patience: seconds to wait for another run.

    Raises:
        BlockingIOError: if another run keeps the folder for longer.
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
