"""Gradient checkpointing: inner results are dropped, and computed again in the backward pass, to save memory."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class Recomputed(nn.Module):
    """A part that autograd may keep the inputs of alone.

    Attributes:
        recompute: off by default; the results are the same, the backward pass takes one forward pass more.
    """

    recompute = False

    def run(self, function: Callable[..., Tensor], *inputs: Tensor | tuple[Tensor, ...]) -> Tensor:
        """`function(*inputs)`, its inner results dropped where `recompute` says so."""
        if self.recompute and torch.is_grad_enabled():
            return checkpoint(function, *inputs, use_reentrant=False, preserve_rng_state=False)
        return function(*inputs)


def in_parts(function: Callable[..., Tensor], samples: int | None, *inputs: Tensor) -> Tensor:
    """`function` of a batch, so many samples at a time; autograd keeps the inputs of each part alone.

    Args:
        function: batches (B, ...) to a batch (B, ...), each sample by itself.
        samples: of a part; None: all at once, nothing dropped.
        inputs: batches.
    """
    if samples is None or samples >= len(inputs[0]) or not torch.is_grad_enabled():
        return function(*inputs)
    parts = zip(*(x.split(samples) for x in inputs), strict=True)
    return torch.cat([checkpoint(function, *part, use_reentrant=False, preserve_rng_state=False) for part in parts])
