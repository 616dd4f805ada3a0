"""Printing that escapes control characters, so that text from outside cannot control the terminal."""

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO

from metrics.outside_text import shown

OUT = "\n"
ERR = "\n|\r|\x1b\\[A"  # progress bars go to the start of a line, and up


def say(line: str) -> None:
    """Print one line, with control characters in it escaped."""
    print(shown(line))


class HarmlessStream:
    """Wraps a text stream and escapes control characters as `shown` does; all else is the stream's own.

    Args:
        stream: the stream to write to.
        kept: a regular expression for text that passes unchanged.
    """

    def __init__(self, stream: TextIO, kept: str) -> None:
        self._stream, self._kept = stream, re.compile(f"({kept})")

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write the escaped text; returns the length of `text`."""
        parts = self._kept.split(text)
        self._stream.write("".join(part if at % 2 else shown(part) for at, part in enumerate(parts)))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write every line, escaped."""
        for line in lines:
            self.write(line)


@contextmanager
def harmless_streams() -> Iterator[None]:
    """Make stdout and stderr `HarmlessStream`s inside the block, for prints, progress bars and libraries' messages."""
    with ExitStack() as stack:
        if sys.stdout is not None:
            stack.enter_context(redirect_stdout(HarmlessStream(sys.stdout, OUT)))
        if sys.stderr is not None:
            stack.enter_context(redirect_stderr(HarmlessStream(sys.stderr, ERR)))
        yield
