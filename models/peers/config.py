"""The configuration from which a network of another method is rebuilt. Its checkpoints store it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class PeerConfig:
    """The method's name and the arguments its network was built with.

    Attributes:
        method: "auif", "cddfuse" or "defusion".
        options: keyword arguments of the network's class.
        task: always "ivf", two images.
    """

    method: str
    options: Mapping[str, object] = field(default_factory=dict)
    task: str = "ivf"

    def as_dict(self) -> dict:
        """Return method and options as plain values, as a checkpoint stores them."""
        return {"method": self.method, **self.options}
