"""What a command prints: nothing that comes from outside gives orders to the terminal."""

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO

from metrics.outside_text import shown

OUT = "\n"
ERR = "\n|\r|\x1b\\[A"  # as progress bars go to the start of a line, and up


def say(line: str) -> None:
    """Print one line, whatever names are in it."""
    print(shown(line))


class HarmlessStream:
    """A text stream that shows control characters as `shown` does; everything else is the stream's own.

    Args:
        stream: to write to.
        kept: a regular expression of what passes as it is.
    """

    def __init__(self, stream: TextIO, kept: str) -> None:
        self._stream, self._kept = stream, re.compile(f"({kept})")

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write; returns the number of characters that were given."""
        parts = self._kept.split(text)
        self._stream.write("".join(part if at % 2 else shown(part) for at, part in enumerate(parts)))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)


@contextmanager
def harmless_streams() -> Iterator[None]:
    """Standard output and errors are such streams until the block ends: prints, bars, messages of libraries."""
    with ExitStack() as stack:
        if sys.stdout is not None:
            stack.enter_context(redirect_stdout(HarmlessStream(sys.stdout, OUT)))
        if sys.stderr is not None:
            stack.enter_context(redirect_stderr(HarmlessStream(sys.stderr, ERR)))
        yield
