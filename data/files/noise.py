"""What libraries of C print on stderr by themselves, kept from the one line that the user gets."""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ONE = threading.Lock()


@contextmanager
def stderr_kept() -> Iterator[list[str]]:
    """The lines that are printed on the process's stderr inside the block, in the list after it."""
    lines: list[str] = []
    with _ONE, tempfile.TemporaryFile() as file:
        try:
            own = os.dup(2)
        except OSError:  # a process without stderr
            yield lines
            return
        os.dup2(file.fileno(), 2)
        try:
            yield lines
        finally:
            os.dup2(own, 2)
            os.close(own)
            file.seek(0)
            lines += file.read().decode("utf-8", "replace").splitlines()
