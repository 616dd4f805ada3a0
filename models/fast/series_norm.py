"""The norm of a convolution, and the number of terms of its exponential that change a float32 sum."""

import math

import torch
from torch import Tensor

NOT_SEEN = 2.0**-24  # fraction of the sum that float32 rounds away
GRID = 8  # frequencies per axis
ROOM = 1.5  # safety factor: up to 1.42 between these frequencies (5 taps), the rest for the iteration's error
STEPS = 8  # steps of the power iteration


def terms_that_count(kernel: Tensor, terms: int) -> int:
    """Return how many terms of a convolution exponential are enough in float32, 0 to `terms`.

    The identity is not counted. By the estimate `norm`, the L2 norm of the omitted terms together is at most 2^-24 of
    the input's L2 norm.

    Args:
        kernel: see `norm`.
        terms: number of terms of the full series after the identity.
    """
    largest = norm(kernel)
    sizes = [largest**i / math.factorial(i) for i in range(1, terms + 1)]
    return next((n for n in range(terms) if sum(sizes[n:]) <= NOT_SEEN), terms)


def norm(kernel: Tensor) -> float:
    """Return an upper estimate of a convolution's L2 operator norm, at most 1.5 times the norm.

    Power iteration finds the largest singular value on a grid of frequencies. The factor `ROOM` covers the frequencies
    between the grid points and the error of the iteration.

    Args:
        kernel: (C, C, k, k), float32, k up to 5.
    """
    channels, _, size, _ = kernel.shape
    angle = 2 * math.pi / GRID * torch.arange(GRID)[:, None] * torch.arange(size)
    down, across = angle, angle[: GRID // 2 + 1]
    phase = (down[:, None, :, None] + across[None, :, None, :]).reshape(-1, size * size)
    waves = torch.polar(torch.ones_like(phase), phase).to(torch.complex64)
    taps = kernel.flatten(2).permute(2, 0, 1).flatten(1).contiguous()
    m = torch.complex(waves.real @ taps, waves.imag @ taps).view(-1, channels, channels)
    vector = m.sum(2, keepdim=True) + torch.finfo(m.dtype).tiny
    for _ in range(STEPS):
        vector = vector / torch.linalg.vector_norm(vector, dim=1, keepdim=True)
        vector = m.mH @ (m @ vector)
    return ROOM * float(torch.linalg.vector_norm(vector, dim=1).max().sqrt())
