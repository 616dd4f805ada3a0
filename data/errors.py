"""The error for bad input. Its message is one line: the file, what was found, what was expected."""

import re

from metrics.outside_text import shown

LONGEST = 400  # characters of a message's "found" and "expected"


class DataError(ValueError):
    """Input that cannot be used as it is.

    Args:
        where: the file or folder.
        found: what is wrong there.
        expected: what would be right.

    Attributes:
        parts: `where`, `found` and `expected` as strings.
    """

    def __init__(self, where: object, found: str, expected: str) -> None:
        self.parts = (str(where), found, expected)
        super().__init__(f"{shown(where)}: found {one_line(found, LONGEST)}, expected {one_line(expected, LONGEST)}")


def one_line(text: object, longest: int | None = None) -> str:
    """Return `text` in one printable line: line breaks become spaces, other characters are escaped as in `shown`.

    A text of more than `longest` characters, if given, is cut there and ends in "...".
    """
    plain = shown(re.sub(r"\s*[\r\n]\s*", " ", str(text).strip()))
    return plain if longest is None or len(plain) <= longest else f"{plain[:longest]} ..."
