"""Names and shapes of a network's weights, without allocating memory for the weights.

A network built on PyTorch's meta device has no data, but arithmetic there imports torch._dynamo and sympy, which takes
a second. The few operations in the networks' constructors are therefore replaced by functions of shapes.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

Network = TypeVar("Network", bound=nn.Module)
RANDOM = ("rand", "randn")
ELEMENTWISE = ("add", "cos", "div", "float", "mul", "neg", "__rpow__", "sin", "sub")


def _broadcast(*parts: object, **_: object) -> Sequence[int]:
    return np.broadcast_shapes(*(part.shape for part in parts if isinstance(part, Tensor)))


def _joined(parts: Sequence[Tensor], dim: int = 0) -> Sequence[int]:
    shape = list(parts[0].shape)
    shape[dim] = sum(part.shape[dim] for part in parts)
    return shape


RESULTS: dict[str, Callable[..., Sequence[int]]] = {  # name of a function -> function that returns its result's shape
    **dict.fromkeys(ELEMENTWISE, _broadcast),
    "arange": lambda *ends, **_: [len(range(*ends))],
    "cat": _joined,
    "repeat": lambda x, *times: [n * t for n, t in zip(x.shape, times, strict=True)],
    "repeat_interleave": lambda x, times, dim: [n * times if i == dim else n for i, n in enumerate(x.shape)],
    "linalg_pinv": lambda matrix: matrix.mT.shape,
}


class _ShapesAlone(TorchFunctionMode):
    """Returns empty tensors of the right shape instead of computing or drawing numbers, and skips in-place changes."""

    def __torch_function__(
        self, function: Callable, types: object, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        kwargs = kwargs or {}
        name = getattr(function, "__name__", "")
        if name in RANDOM:
            return torch.empty(*args, **kwargs)
        if name in RESULTS:
            return torch.empty(RESULTS[name](*args, **kwargs))
        if name.endswith("_") and not name.endswith("__") and name != "requires_grad_":
            return args[0] if args else kwargs["tensor"]
        return function(*args, **kwargs)


def skeleton(build: Callable[[], Network]) -> Network:
    """Return the network that `build` makes on the meta device; only the names and shapes of its state are valid."""
    with torch.device("meta"), _ShapesAlone():
        return build()


def shapes(build: Callable[[], nn.Module]) -> dict[str, torch.Size]:
    """Return name -> shape for the state of the network that `build` makes."""
    return {name: value.shape for name, value in skeleton(build).state_dict().items()}
