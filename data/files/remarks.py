"""Remarks of what a reader did: most tell of a danger to the result, some only of what is done to all such files."""

from collections.abc import Iterable


class Routine(str):
    """A remark that tells of no danger: a conversion that every file of its kind takes, and that loses nothing.

    It is text like every other; who shows few lines may leave it out. What is not marked so is shown always.
    """

    __slots__ = ()


def reworded(remark: str, text: str) -> str:
    """`text` in place of a remark, of the same kind."""
    return Routine(text) if isinstance(remark, Routine) else text


def of_role(role: str, remarks: Iterable[str]) -> list[str]:
    """Each remark with whose it is ("visible") before it."""
    return [reworded(remark, f"{role}: {remark}") for remark in remarks]
