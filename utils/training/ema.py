"""An exponential moving average of a network's weights; off by default."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """Keeps the moving average of a network's weights, and can put it into the network for a while.

    Args:
        decay: weight of the old average in each update, 0 to under 1; 0 keeps no average.
    """

    def __init__(self, decay: float = 0.0) -> None:
        self.decay = decay
        self.weights: dict[str, Tensor] | None = None

    def load(self, weights: dict[str, Tensor] | None, device: torch.device) -> None:
        """Set the averaged weights, from a checkpoint; None starts a new average."""
        self.weights = None if weights is None else {name: value.to(device) for name, value in weights.items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Add the weights after a step to the average. The first call copies them."""
        if not self.decay:
            return
        state = model.state_dict()
        if self.weights is None:
            self.weights = {name: value.clone() for name, value in state.items()}
            return
        moving = [name for name, value in state.items() if value.is_floating_point()]
        averages, values = [self.weights[name] for name in moving], [state[name] for name in moving]
        torch._foreach_lerp_(averages, values, 1 - self.decay)
        for name in state.keys() - set(moving):
            self.weights[name].copy_(state[name])

    @contextmanager
    def inside(self, model: nn.Module) -> Iterator[None]:
        """A context in which the network has the averaged weights, if there are any."""
        if self.weights is None:
            yield
            return
        own = {name: value.clone() for name, value in model.state_dict().items()}
        model.load_state_dict(self.weights)
        try:
            yield
        finally:
            model.load_state_dict(own)
