"""How a training is run, beside its recipe: what the engine is given with network and data."""

from dataclasses import dataclass, field
from pathlib import Path

import torch

from .recipe import Recipe

PRECISIONS = {"off": None, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass
class Settings:
    """How a recipe is run; see --help of the training scripts.

    Attributes:
        folder: of checkpoints and logs.
        device: where it runs.
        recipe: its numbers.
        compile: torch.compile's mode, None for none.
        graph: whether a step is recorded as one CUDA graph.
        channels_last: whether weights and batches have their channels innermost in memory.
        read_every: steps between two readings of the losses.
        at_once: samples of a step whose inner results are in memory together; None: all.
        shared: what a resumed run must share with the one it goes on with.
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
        """The type of mixed precision, None for none."""
        return PRECISIONS[self.amp]

    @property
    def last(self) -> Path:
        """The checkpoint that a run goes on from."""
        return self.folder / "last.pth"

    @property
    def previous(self) -> Path:
        """The checkpoint before the last one."""
        return self.folder / "previous.pth"

    @property
    def best(self) -> Path:
        """The weights of the best validation, for use."""
        return self.folder / "best.pth"
