"""Initial weights for DeFusion++ without a pretrained encoder, with which it can reproduce patches from the start.

This is ours: the authors start from TinyMIM's weights. From random weights a network first learns the mean of each
patch, and the patch's content only after many thousand steps.
"""

import numpy as np
import scipy
import torch
from torch import nn

from .defusion import WIDTH, DeFusion
from .vit import PATCH

LUMA_WAVES = 160  # of 256, the lowest frequencies; two colour differences share the other channels
COLOURS = ((1, 1, 1), (1, -1, 0), (1, 1, -2))
GAIN = 0.3


@torch.no_grad()
def cosine_start(model: DeFusion) -> None:
    """Set the patch embedding to a cosine transform mixed by a random rotation, and every head to its transpose.

    Args:
        model: a fresh network, changed in place. The rotation is drawn from PyTorch's generator.
    """
    rotation = nn.init.orthogonal_(torch.empty(WIDTH, WIDTH))
    filters = torch.einsum("ij,jchw->ichw", rotation, waves()) * GAIN
    model.encoder.patch_embed.weight.copy_(filters)
    drawn = filters.permute(2, 3, 1, 0).reshape(-1, WIDTH)  # rows of a patch, columns, colours
    for head in (model.common_head, model.unique_head, model.fuse_head, model.masked):
        head.linear.weight.copy_(drawn)


def waves() -> torch.Tensor:
    """Return orthonormal filters (192, 3, 16, 16): cosines of the lowest frequencies.

    The first 160 filter the sum of R, G and B, 16 more the difference R - G, and 16 the difference R + G - 2 B.
    """
    order = sorted(np.ndindex(PATCH, PATCH), key=lambda f: (f[0] ** 2 + f[1] ** 2, f))
    cosines = scipy.fft.idctn(np.eye(PATCH**2).reshape(-1, PATCH, PATCH), axes=(1, 2), norm="ortho")
    slowest = cosines[[row * PATCH + column for row, column in order]]
    counts = (LUMA_WAVES, *((WIDTH - LUMA_WAVES) // 2,) * 2)
    parts = [
        np.einsum("c,nhw->nchw", np.array(colour) / np.linalg.norm(colour), slowest[:count])
        for colour, count in zip(COLOURS, counts, strict=True)
    ]
    return torch.from_numpy(np.concatenate(parts)).float()
