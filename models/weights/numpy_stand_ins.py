"""Safe stand-ins for the NumPy functions that a pickled file of weights calls.

Trainers store a best value as np.float64 beside the weights. PyTorch refuses such files, because NumPy's own functions
would take arbitrary bytes of the file for a type, and so for addresses. The stand-ins read plain numbers only; anything
else becomes an empty object or None.
"""

import re
from collections.abc import Callable
from math import prod

import numpy as np
import torch

PLAIN = re.compile(r"[iu][1248]|f[248]|b1")


class StandInType:
    """Stands in for numpy.dtype."""

    def __init__(self, code: object = "", *_: object) -> None:
        self.code, self.order = code, "<"

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|"):
            self.order = state[1]

    def plain(self) -> np.dtype | None:
        """Return the NumPy type if it is one of plain numbers, else None."""
        known = isinstance(self.code, str) and PLAIN.fullmatch(self.code)
        return np.dtype(f"{self.order}{self.code}") if known else None


class StandInArray:
    """Stands in for numpy.ndarray; `array` is None unless it holds plain numbers."""

    def __init__(self, *_: object) -> None:
        self.array: np.ndarray | None = None

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            return
        _, shape, kind, fortran, data = state
        plain = kind.plain() if isinstance(kind, StandInType) else None
        whole = isinstance(shape, tuple) and all(type(side) is int and side >= 0 for side in shape)
        if plain is not None and whole and isinstance(data, bytes) and len(data) == prod(shape) * plain.itemsize:
            self.array = np.frombuffer(data, plain).reshape(shape, order="F" if fortran else "C")

    def tensor(self) -> torch.Tensor | None:
        """Return a copy of the array as a tensor in this machine's byte order; None without an array."""
        if self.array is None:
            return None
        return torch.from_numpy(np.array(self.array, self.array.dtype.newbyteorder("="), order="C"))


def number(kind: object = None, data: object = b"") -> float | int | bool | None:
    """Stand in for NumPy's constructor of scalars: return a plain number, or None for anything else."""
    plain = kind.plain() if isinstance(kind, StandInType) else None
    if plain is None or not isinstance(data, bytes) or len(data) != plain.itemsize:
        return None
    return np.frombuffer(data, plain)[0].item()


def empty_array(*_: object) -> StandInArray:
    """Stand in for NumPy's constructor of arrays: return an array that a later pickle step fills."""
    return StandInArray()


STAND_INS: list[Callable | tuple[Callable, str]] = [
    (StandInType, "numpy.dtype"),
    (StandInArray, "numpy.ndarray"),
    *((number, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    *((empty_array, f"numpy.{core}.multiarray._reconstruct") for core in ("core", "_core")),
]
