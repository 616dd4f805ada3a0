"""The options of a training script as one typed value."""

from dataclasses import dataclass
from pathlib import Path


@dataclass
class TrainingArguments:
    """The parsed options. An option that a task's script does not have keeps its default.

    Attributes:
        data: the training data; None is the embedded sample.
        output: folder for checkpoints, logs and pictures.
        resume: True to continue from OUTPUT/last.pth, or the path of another checkpoint.
        recipe: name of the recipe.
        lr, epochs, batch, patch, milestones, clip, backward_weight, base_rule, detail_rule, night, first_stage: None
            takes the recipe's value.
        compile: the mode of torch.compile; None does not compile.
        read_every: steps between two readings of the losses; None takes the device's default.
        on_device: keep the whole training set in the device's memory.
        command: the command line as typed.
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
    # the four DCINN scripts
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
    # infrared-visible pairs, for the other methods too
    base_rule: str | None = None
    detail_rule: str | None = None
    night: float | None = None
    keep_test_pairs: bool = False
    infrared_range: str | tuple[float, float] | None = None
    # the other methods
    method: str | None = None
    first_stage: int | None = None
    teachers: list[str] | None = None
    pairs: Path | None = None
    whole: float = 0.0
    soft: float = 0.0
    cosines: bool = False
