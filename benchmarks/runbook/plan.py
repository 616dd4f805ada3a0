"""The device, data and time of one call of gpu.py."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Plan:
    """The device, data and time of one call of gpu.py.

    Attributes:
        device: "cuda" or "cpu".
        small: whether all steps run in miniature.
        data: "hmf", "ps", "ivf", "images" -> path of the data; None for the embedded sample.
        folder: folder of logs, trainings and results.
        seconds: time that the call may take.
        shares: step -> largest share of this time that the step may take, in (0, 1].
        start: time at which the call began, in seconds of `time.monotonic`.
    """

    device: str
    small: bool
    data: dict[str, Path | None]
    folder: Path
    seconds: float
    shares: Mapping[str, float]
    start: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Return the seconds until the call must end; negative if they are over."""
        return self.seconds - (time.monotonic() - self.start)

    def limit(self, name: str) -> float:
        """Return the seconds that a step may take: its share of the call, but at most the seconds left."""
        return min(self.shares[name] * self.seconds, self.left())
