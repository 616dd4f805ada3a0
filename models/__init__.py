"""The DCINN networks: build one, load one, fuse with it. Start reading at dcinn.py.

`pip install` names this folder `dcinn`. It imports nothing from the project's other folders.
"""

from .config import DCINNConfig
from .dcinn import DCINN, dcinn_hmf, dcinn_ivf, dcinn_ps
from .weights.checkpoint import CheckpointError, export_released, load_pretrained, save_checkpoint

__all__ = [
    "DCINN",
    "CheckpointError",
    "DCINNConfig",
    "dcinn_hmf",
    "dcinn_ivf",
    "dcinn_ps",
    "export_released",
    "load_pretrained",
    "save_checkpoint",
]
