"""The losses of the last steps, kept on the device until they are read together: a GPU is waited for once for all."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from utils import distributed


class Reading(NamedTuple):
    """One step as it was read.

    Attributes:
        step, total: its number in the epoch and in the run, from 1 on.
        names: of the samples.
        terms: of the loss, (terms,), means over the processes.
        norm: the largest norm of a group's gradient.
    """

    step: int
    total: int
    names: list[str]
    terms: np.ndarray
    norm: float


class Readings:
    """Collects steps and reads them.

    Args:
        every: steps that are read together, at most.
    """

    def __init__(self, every: int) -> None:
        self.every = every
        self._about: list[tuple[int, int, list[str]]] = []
        self._rows: list[Tensor] = []

    @property
    def due(self) -> bool:
        """Whether enough steps wait to be read."""
        return len(self._rows) >= self.every

    def add(self, step: int, total: int, names: list[str], terms: Tensor, norm: Tensor) -> None:
        """Keep a step; the device is asked for nothing."""
        self._about.append((step, total, names))
        self._rows.append(torch.cat((terms, norm.to(terms)[None])))

    def read(self) -> list[Reading]:
        """All that were kept, in their order; the one place where a step's numbers leave the device."""
        if not self._rows:
            return []
        rows = distributed.mean(torch.stack(self._rows)).double().cpu().numpy()
        about, self._about, self._rows = self._about, [], []
        return [Reading(*step, row[:-1], float(row[-1])) for step, row in zip(about, rows, strict=True)]
