"""The error of bad input, one line a message: file, what was found, what was expected."""

import re

LONGEST = 400  # characters of what a file holds that go into a message


class DataError(ValueError):
    """Input that cannot be used as it is.

    Attributes:
        parts: where, found, expected.
    """

    def __init__(self, where: object, found: str, expected: str) -> None:
        self.parts = (str(where), found, expected)
        super().__init__(f"{one_line(where)}: found {one_line(found, LONGEST)}, expected {one_line(expected, LONGEST)}")


def one_line(text: object, longest: int | None = None) -> str:
    """Text that prints as one line, whatever a file had in its names."""
    plain = re.sub("\0+", " ", "".join(c if c.isprintable() else "\0" for c in str(text)))
    return plain if longest is None or len(plain) <= longest else f"{plain[:longest]} ..."
