"""Small networks of the three tasks, and images of the kinds that they take."""

import torch
from fake_cuda import CUDA

from data.simulate import spectral_response
from models import dcinn_hmf, dcinn_ivf, dcinn_ps

CHANNELS = {"ps": (8, 1), "hmf": (31, 3), "ivf": (1, 1)}
NETWORKS = {
    "ps": lambda **more: dcinn_ps(8, low_blocks=1, **more),
    "hmf": lambda **more: dcinn_hmf(srf=spectral_response(), low_blocks=1, **more),
    "ivf": lambda **more: dcinn_ivf("max", low_blocks=1, **more),
}


def images_for(task, side=32, batch=2, device=CUDA):
    """What a training step is given: base image, guide, and the reference where there is one."""
    first, second = CHANNELS[task]
    return [torch.rand(batch, c, side, side, device=device) for c in (first, second, *((first,) * (task != "ivf")))]


def views(pair=False, batch=2):
    """What DeFusion++'s step is given."""
    channels = (3, 3, 1, 1, 3, *((3, 3) if pair else ()))
    return [torch.rand(batch, c, 224, 224, device=CUDA) for c in channels]
