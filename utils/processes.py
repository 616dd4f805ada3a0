"""`utils.distributed` for evaluation, without importing PyTorch if there is only one process."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from .commandline.last_words import launched


def _several() -> ModuleType:
    from . import distributed  # noqa: PLC0415  imports PyTorch, which metrics do not need

    return distributed


@contextmanager
def joined() -> Iterator[None]:
    """Join torchrun's processes inside the block, if there are several."""
    if not launched():
        yield
        return
    with _several().together():
        yield


def rank() -> int:
    """Return this process's number; 0 is the one that writes."""
    return _several().rank() if launched() else 0


def world() -> int:
    """Return the number of processes."""
    return _several().world() if launched() else 1


def from_first(value: object) -> object:
    """Return the first process's value in every process."""
    return _several().from_first(value) if launched() else value


def at_first(value: object) -> list:
    """Return the values of all processes, in their order, in the first one; an empty list in the others."""
    return _several().at_first(value) if launched() else [value]
