"""What a call of the runbook has to work with."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Plan:
    """What a call has: the device, the data, the time.

    Attributes:
        device: "cuda" or "cpu".
        small: whether all is in miniature.
        data: "hmf", "ps", "ivf", "images" -> path, None for the embedded sample.
        folder: of the runbook.
        seconds: that the call may take.
        shares: step -> how much of them it may take at most.
    """

    device: str
    small: bool
    data: dict[str, Path | None]
    folder: Path
    seconds: float
    shares: Mapping[str, float]
    start: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """Seconds until the call is to end."""
        return self.seconds - (time.monotonic() - self.start)

    def limit(self, name: str) -> float:
        """Seconds that a step may take at most: its share of the call, and what is left."""
        return min(self.shares[name] * self.seconds, self.left())
