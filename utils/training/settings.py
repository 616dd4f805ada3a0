"""The settings of a training run beside its recipe: device, precision, intervals and limits."""

from dataclasses import dataclass, field
from pathlib import Path

import torch

from .recipe import Recipe

PRECISIONS = {"off": None, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass
class Settings:
    """How a recipe is run. For attributes that are not listed here, see --help of the training scripts.

    Attributes:
        folder: folder for checkpoints and logs.
        device: the device to train on.
        recipe: the numbers of the training.
        compile: the mode of torch.compile; None does not compile.
        graph: whether to record a step as one CUDA graph.
        channels_last: whether weights and batches are stored channels-last.
        read_every: steps between two readings of the losses.
        at_once: samples of a step that are computed at once, to save memory; None is all.
        shared: the settings that a resumed run must have in common with the original.
    """

    folder: Path
    device: torch.device
    recipe: Recipe
    amp: str = "off"
    compile: str | None = None
    graph: bool = False
    channels_last: bool = False
    read_every: int = 1
    ema: float = 0.0
    eval_every: int = 1
    save_every: int = 500
    steps: int | None = None
    at_once: int | None = None
    skip_bad: bool = False
    shared: dict = field(default_factory=dict)

    @property
    def dtype(self) -> torch.dtype | None:
        """The data type of mixed precision; None without it."""
        return PRECISIONS[self.amp]

    @property
    def last(self) -> Path:
        """Path of the checkpoint that --resume continues from."""
        return self.folder / "last.pth"

    @property
    def previous(self) -> Path:
        """Path of the checkpoint before the last one."""
        return self.folder / "previous.pth"

    @property
    def best(self) -> Path:
        """Path of the weights with the best validation."""
        return self.folder / "best.pth"
