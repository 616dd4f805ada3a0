"""The processes of torchrun as a test sees them: `utils.distributed`, without PyTorch where there is one process."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from .commandline.last_words import launched


def _several() -> ModuleType:
    from . import distributed  # noqa: PLC0415  PyTorch, which metrics alone do not need

    return distributed


@contextmanager
def joined() -> Iterator[None]:
    """Join torchrun's processes, where there are several."""
    if not launched():
        yield
        return
    with _several().together():
        yield


def rank() -> int:
    """This process's number, 0 being the one that writes."""
    return _several().rank() if launched() else 0


def world() -> int:
    """Number of processes."""
    return _several().world() if launched() else 1


def from_first(value: object) -> object:
    """The first process's value, in every process."""
    return _several().from_first(value) if launched() else value


def at_first(value: object) -> list:
    """The values of all processes in their order, in the first one; an empty list in the others."""
    return _several().at_first(value) if launched() else [value]
