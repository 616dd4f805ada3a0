"""The methods that stand beside DCINN in the infrared-visible tables, each network in a file of its own.

They keep DCINN's contract: fused = model(visible, infrared), (B, 1, H, W) in [0, 1], any sides that a docstring does
not exclude, any device.
"""

from .auif import AUIF
from .cddfuse import CDDFuse
from .defusion import DeFusion

PEERS = {"auif": AUIF, "cddfuse": CDDFuse, "defusion": DeFusion}

__all__ = ["AUIF", "PEERS", "CDDFuse", "DeFusion"]
