"""Networks of other methods for infrared-visible fusion, one per file.

They are called as DCINN is: fused = model(visible, infrared), all images (B, 1, H, W) in [0, 1], of any height and
width, on any device.
"""

import inspect

from torch import nn

from .auif import AUIF
from .cddfuse import CDDFuse
from .config import PeerConfig
from .defusion import DeFusion

PEERS: dict[str, type[nn.Module]] = {"auif": AUIF, "cddfuse": CDDFuse, "defusion": DeFusion}
TITLES = {"auif": "AUIF-Net", "cddfuse": "CDDFuse", "defusion": "DeFusion++"}

__all__ = ["AUIF", "PEERS", "TITLES", "CDDFuse", "DeFusion", "PeerConfig", "build_peer"]


def build_peer(method: object, options: dict) -> nn.Module:
    """Return a network of another method with random weights.

    Args:
        method: "auif", "cddfuse" or "defusion".
        options: keyword arguments of the network's class.

    Raises:
        ValueError: for an unknown method, and for options that its class does not have or refuses.
    """
    if not isinstance(method, str) or method not in PEERS:
        raise ValueError(f"method: found {method!r}, expected one of {', '.join(PEERS)}")
    known = inspect.signature(PEERS[method]).parameters
    unknown = sorted(str(name) for name in options if name not in known)
    if unknown:
        raise ValueError(f"config: found unknown entries {', '.join(unknown)}")
    try:
        return PEERS[method](**options)
    except TypeError as error:
        raise ValueError(f"config of {method}: found values of another type ({error})") from None
