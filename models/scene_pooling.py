"""Squeeze-excite of a scene that is fused by tiles: the means of the scene in place of those of each tile."""

from collections.abc import Callable
from typing import cast

from torch import Tensor, nn

from .layers import SqueezeExcite


class _Means:
    """Collects the pooled means of one squeeze-excite, for each sample; gives their mean back once it is fixed."""

    def __init__(self) -> None:
        self.sums: Tensor | None = None
        self.tiles = 0
        self.fixed: Tensor | None = None

    def __call__(self, pooled: Tensor) -> Tensor:
        if self.fixed is not None:
            return self.fixed.expand_as(pooled)
        self.sums = pooled.clone() if self.sums is None else self.sums + pooled
        self.tiles += 1
        return pooled


class ScenePooling:
    """A context in which a network's squeeze-excites pool over a scene.

    Until `use` every tile is pooled over itself, and its means are collected; afterwards all tiles take the mean of
    these. That is not exactly what the whole image gives: the means of a deeper layer were collected behind shallower
    ones that saw tiles. The second order of a small difference.

    Args:
        model: a DCINN.
    """

    def __init__(self, model: nn.Module) -> None:
        self.layers = [
            cast("SqueezeExcite", module)
            for module in model.modules()
            if type(module).__name__ == SqueezeExcite.__name__  # by name: torch.hub's classes are another copy
        ]

    def __enter__(self) -> "ScenePooling":
        for layer in self.layers:
            layer.pooling = _Means()
        return self

    def use(self, together: Callable[[Tensor], Tensor] = lambda sums: sums) -> None:
        """Take the means that were collected so far, for every tile from now on.

        Args:
            together: adds up what several processes have collected, of one sample each.

        Raises:
            ValueError: where no tile was seen.
        """
        for layer in self.layers:
            means, weight = layer.pooling, layer.squeeze.weight
            assert isinstance(means, _Means)
            sums = weight.new_zeros(1, weight.shape[1], 1, 1) if means.sums is None else means.sums
            tiles = together(sums.new_full((), means.tiles))
            if not tiles:
                raise ValueError("scene pooling: found no tile, expected one to be fused first")
            means.fixed, means.sums = together(sums) / tiles, None

    def __exit__(self, *_: object) -> None:
        for layer in self.layers:
            layer.pooling = None
