"""Gradient checkpointing: to save memory, activations are dropped and computed again in the backward pass."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class Recomputed(nn.Module):
    """A module that can run functions under gradient checkpointing, so that autograd stores only their inputs.

    Attributes:
        recompute: whether `run` uses gradient checkpointing; off by default. The results are the same, but training
            costs one more forward pass.
    """

    recompute = False

    def run(self, function: Callable[..., Tensor], *inputs: Tensor | tuple[Tensor, ...]) -> Tensor:
        """Return `function(*inputs)`, under gradient checkpointing if `recompute` is set."""
        if self.recompute and torch.is_grad_enabled():
            return checkpoint(function, *inputs, use_reentrant=False, preserve_rng_state=False)
        return function(*inputs)


def in_parts(function: Callable[..., Tensor], samples: int | None, *inputs: Tensor) -> Tensor:
    """Return `function(*inputs)`, computed in parts of the batch; autograd stores only the inputs of each part.

    Args:
        function: maps batches (B, ...) to one batch (B, ...), each sample independently of the others.
        samples: samples per part; None computes the whole batch at once, without gradient checkpointing.
        inputs: batches of one length.
    """
    if samples is None or samples >= len(inputs[0]) or not torch.is_grad_enabled():
        return function(*inputs)
    parts = zip(*(x.split(samples) for x in inputs), strict=True)
    return torch.cat([checkpoint(function, *part, use_reentrant=False, preserve_rng_state=False) for part in parts])
