"""Keeps the losses of the latest steps on the device and reads them together, so that a GPU is waited for only once."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from utils import distributed


class Reading(NamedTuple):
    """The losses of one step.

    Attributes:
        step: number of the step in its epoch, from 1.
        total: number of the step in the run, from 1.
        names: names of this process's samples.
        terms: terms of the loss, (terms,) float64, means over the processes.
        norm: largest gradient norm of the parameter groups, mean over the processes.
    """

    step: int
    total: int
    names: list[str]
    terms: np.ndarray
    norm: float


class Readings:
    """Collects the losses of steps on the device until they are read.

    Args:
        every: number of steps after which a reading is due.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self._about: list[tuple[int, int, list[str]]] = []
        self._rows: list[Tensor] = []

    @property
    def due(self) -> bool:
        """Whether `every` steps have been added since the last reading."""
        return len(self._rows) >= self.every

    def add(self, step: int, total: int, names: list[str], terms: Tensor, norm: Tensor) -> None:
        """Add the losses of a step, without waiting for the device.

        Args:
            step, total, names: see `Reading`.
            terms: terms of the loss, (terms,), on the device.
            norm: gradient norm, a scalar, on the device.
        """
        self._about.append((step, total, names))
        self._rows.append(torch.cat((terms, norm.to(terms)[None])))

    def read(self) -> list[Reading]:
        """Return the steps since the last reading, in their order.

        This waits for the device. All processes must call it after the same step, as it averages over them.
        """
        if not self._rows:
            return []
        rows = distributed.mean(torch.stack(self._rows)).double().cpu().numpy()
        about, self._about, self._rows = self._about, [], []
        return [Reading(*step, row[:-1], float(row[-1])) for step, row in zip(about, rows, strict=True)]
