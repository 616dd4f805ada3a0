"""The error of bad input, one line a message: file, what was found, what was expected."""


class DataError(ValueError):
    """Input that cannot be used as it is.

    Attributes:
        parts: where, found, expected.
    """

    def __init__(self, where: object, found: str, expected: str) -> None:
        self.parts = (str(where), found, expected)
        super().__init__(f"{where}: found {found}, expected {expected}")
