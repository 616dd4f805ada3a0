"""What a peer network is, weights aside: written into its checkpoints."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class PeerConfig:
    """The method's name, and what its network was built with.

    Attributes:
        method: "auif", "cddfuse" or "defusion".
        options: arguments of the network.
        task: all peers are networks of two images.
    """

    method: str
    options: Mapping[str, object] = field(default_factory=dict)
    task: str = "ivf"

    def as_dict(self) -> dict:
        """Plain values, what a checkpoint holds."""
        return {"method": self.method, **self.options}
