"""Training in less memory: parts of the network whose inner results are computed again in the backward pass."""

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class Recomputed(nn.Module):
    """A part that autograd may keep the inputs of alone.

    Attributes:
        recompute: off by default; the results are the same, the backward pass takes one forward pass more.
    """

    recompute = False

    def run(self, function: object, *inputs: Tensor | tuple[Tensor, ...]) -> Tensor:
        """`function(*inputs)`, its inner results dropped where `recompute` says so."""
        if self.recompute and torch.is_grad_enabled():
            return checkpoint(function, *inputs, use_reentrant=False, preserve_rng_state=False)
        return function(*inputs)
