"""Remarks of readers. Most report a possible fault of the result; routine conversions are marked as `Routine`."""

from collections.abc import Iterable


class Routine(str):
    """A remark on a conversion that every file of a kind needs and that loses nothing.

    It is an ordinary string. A short report may leave it out, while all other remarks are always shown.
    """

    __slots__ = ()


def reworded(remark: str, text: str) -> str:
    """Return `text` as a `Routine` if `remark` is one, else as it is."""
    return Routine(text) if isinstance(remark, Routine) else text


def of_role(role: str, remarks: Iterable[str]) -> list[str]:
    """Return the remarks with the image's role before each: "visible: 1-bit image"."""
    return [reworded(remark, f"{role}: {remark}") for remark in remarks]
