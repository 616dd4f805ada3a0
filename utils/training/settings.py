"""How a training is run and judged: what the engine is given beside network and data."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn

from .recipes import CLIP

PRECISIONS = {"off": None, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass
class Options:
    """How a recipe is run; see --help of the training scripts.

    Attributes:
        gamma: what the rate is multiplied by at each milestone.
        at_once: samples of a step whose inner results are in memory together; None: all.
        settings: what a resumed run must share with the one it goes on with.
    """

    folder: Path
    device: torch.device
    lr: float
    epochs: int
    milestones: tuple[int, ...] = ()
    gamma: float = 0.5
    clip: float = CLIP
    amp: str = "off"
    compile: bool = False
    ema: float = 0.0
    eval_every: int = 1
    save_every: int = 500
    steps: int | None = None
    at_once: int | None = None
    skip_bad: bool = False
    settings: dict = field(default_factory=dict)

    @property
    def dtype(self) -> torch.dtype | None:
        """Of mixed precision, None for none."""
        return PRECISIONS[self.amp]

    @property
    def last(self) -> Path:
        """The checkpoint that a run goes on from."""
        return self.folder / "last.pth"

    @property
    def best(self) -> Path:
        """The weights of the best validation, for use."""
        return self.folder / "best.pth"


@dataclass(frozen=True)
class Validation:
    """How a network is judged between epochs.

    Attributes:
        names: of the metrics; the first one decides which checkpoint is the best.
        better: 1 where a higher value of it is better, -1 where a lower one is.
        measure: the network in evaluation mode -> (means over the validation images, name -> image to look at).
        plain: what needs no network -> the same metrics of the same images: "bicubic", "max of the two".
    """

    names: tuple[str, ...]
    better: int
    measure: Callable[[nn.Module], tuple[dict[str, float], dict[str, np.ndarray]]]
    plain: Callable[[], dict[str, dict[str, float]]] = dict

    def improves(self, value: float, best: float | None) -> bool:
        """Whether a value of the first metric is better than the best so far; NaN and infinity never are."""
        return bool(np.isfinite(value)) and (best is None or self.better * (value - best) > 0)
