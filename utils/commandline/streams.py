"""Keeps a command's work and exit code independent of its output streams, which may be closed, full or abandoned."""

import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO


class _Lossy(io.FileIO):
    """A file that ignores errors of writing."""

    def write(self, data: bytes) -> int | None:
        """Write what can be written; returns the number of bytes, as if all were written."""
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes

    def flush(self) -> None:
        """Do nothing, as nothing is buffered."""


def lasting_streams() -> None:
    """Open closed standard streams on the null device, and make stdout and stderr ignore errors of writing.

    The numbers of closed streams are taken first. Otherwise the next file to be opened, for example a checkpoint, would
    get such a number, and with it the messages of C libraries. Streams that are not the interpreter's own (pytest's, a
    notebook's) stay.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest free number, which is this one
    sys.stdout, sys.stderr = _lasting(sys.stdout), _lasting(sys.stderr)


def _lasting(stream: TextIO | None) -> TextIO:
    if stream is None or stream.closed:
        return Path(os.devnull).open("w", encoding="utf-8", errors="replace")
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # with PYTHONUNBUFFERED the buffer itself is raw
    if type(raw) is not io.FileIO or raw.fileno() not in (1, 2):  # not the interpreter's own, or a Windows console
        if hasattr(stream, "reconfigure"):  # consoles without UTF-8, file names with invalid bytes
            stream.reconfigure(errors="replace")
        return stream
    with suppress(OSError):
        stream.flush()
    lossy = _Lossy(raw.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        lossy if buffer is raw else io.BufferedWriter(lossy),
        stream.encoding,
        "replace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
