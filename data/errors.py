"""The error of bad input, one line a message: file, what was found, what was expected."""

import re

from metrics.outside_text import shown

LONGEST = 400  # characters of what a file holds that go into a message


class DataError(ValueError):
    """Input that cannot be used as it is.

    Attributes:
        parts: where, found, expected.
    """

    def __init__(self, where: object, found: str, expected: str) -> None:
        self.parts = (str(where), found, expected)
        super().__init__(f"{shown(where)}: found {one_line(found, LONGEST)}, expected {one_line(expected, LONGEST)}")


def one_line(text: object, longest: int | None = None) -> str:
    """A message that prints as one line, whatever a file had in its names: line breaks are spaces, see `shown`."""
    plain = shown(re.sub(r"\s*[\r\n]\s*", " ", str(text).strip()))
    return plain if longest is None or len(plain) <= longest else f"{plain[:longest]} ..."
