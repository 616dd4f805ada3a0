"""The options of a training script as one typed value."""

from dataclasses import dataclass
from pathlib import Path


@dataclass
class TrainingArguments:
    """What the command line said. Options that a task's script does not have keep their default here.

    Attributes:
        data: the training data, None for the embedded sample.
        output: folder of checkpoints, logs and pictures.
        resume: True for OUTPUT/last.pth, or the checkpoint to go on from.
        recipe: its name.
        lr, epochs, batch, patch, milestones, clip, backward_weight, base_rule, detail_rule, first_stage:
            None where the recipe's
            number is taken.
        compile: torch.compile's mode, None for none.
        read_every: steps between two readings of the losses; None for the device's.
        on_device: whether the whole set is to be in the device's memory.
        command: the line that was typed.
    """

    data: Path | None = None
    output: Path = Path("runs")
    resume: Path | bool | None = None
    weights: str | None = None
    recipe: str = "released"
    lr: float | None = None
    epochs: int | None = None
    batch: int | None = None
    patch: int | None = None
    milestones: list[int] | None = None
    clip: float | None = None
    hold_back: int = 0
    eval_every: int = 1
    save_every: int = 500
    steps: int | None = None
    ema: float = 0.0
    skip_bad: bool = False
    device: str = "auto"
    amp: str = "off"
    tf32: bool = False
    compile: str | None = None
    graph: bool = False
    channels_last: bool = False
    read_every: int | None = None
    on_device: bool = False
    seed: int = 0
    deterministic: bool = False
    workers: int = 0
    command: str = ""
    # the four of DCINN
    at_once: int | None = None
    recompute: bool = False
    without: str | None = None
    # ps and hmf
    backward_weight: float | None = None
    backward_target: str = "predicted"
    bits: int | None = None
    stride: int | None = None
    # ps
    val: Path | None = None
    sensor: str | None = None
    rows: tuple[int, int] | None = None
    # hmf
    ratio: int | None = None
    srf: Path | None = None
    scenes: list[str] | None = None
    # infrared-visible pairs, of the peers too
    base_rule: str | None = None
    detail_rule: str | None = None
    keep_test_pairs: bool = False
    infrared_range: str | tuple[float, float] | None = None
    # the peers
    method: str | None = None
    first_stage: int | None = None
    teachers: list[str] | None = None
    pairs: Path | None = None
    whole: float = 0.0
    soft: float = 0.0
    cosines: bool = False
