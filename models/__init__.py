"""The DCINN networks: build one, load one, fuse with it. Start reading at dcinn.py."""

from .checkpoint import CheckpointError, export_released, load_pretrained, save_checkpoint
from .config import DCINNConfig
from .dcinn import DCINN, dcinn_hmf, dcinn_ivf, dcinn_ps

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
