"""What a command prints to may be closed, full, or left by its reader: its work and its exit code are the same."""

import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO


class _Lossy(io.FileIO):
    """A file that passes over what cannot be written to it."""

    def write(self, data: bytes) -> int | None:
        """As written, the number of bytes."""
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes

    def flush(self) -> None:
        """Nothing is kept."""


def lasting_streams() -> None:
    """Open what is closed of the three standard streams, and let no error of stdout and stderr out any more.

    A closed one's number is taken first: else the next file that is opened, a checkpoint say, gets it, and the messages
    of C libraries with it. Streams that are not the interpreter's own (pytest's, a notebook's) stay.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number, this one
    sys.stdout, sys.stderr = _lasting(sys.stdout), _lasting(sys.stderr)


def _lasting(stream: TextIO | None) -> TextIO:
    if stream is None or stream.closed:
        return Path(os.devnull).open("w", encoding="utf-8", errors="replace")
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)  # without PYTHONUNBUFFERED, and with it
    if type(raw) is not io.FileIO or raw.fileno() not in (1, 2):  # another's stream, a console of Windows
        if hasattr(stream, "reconfigure"):  # a console of few characters, a file name of odd bytes
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
