"""Squeeze-excite of a scene that is fused by tiles: the means of the scene in place of those of each tile."""

from collections.abc import Callable

from torch import Tensor, nn

from .layers import SqueezeExcite


class _Means:
    """Collects the pooled means of one squeeze-excite; gives their mean back once it is fixed."""

    def __init__(self) -> None:
        self.parts: list[Tensor] = []
        self.fixed: Tensor | None = None

    def __call__(self, pooled: Tensor) -> Tensor:
        if self.fixed is not None:
            return self.fixed.expand_as(pooled)
        self.parts.append(pooled)
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
        self.layers = [module for module in model.modules() if isinstance(module, SqueezeExcite)]

    def __enter__(self) -> "ScenePooling":
        for layer in self.layers:
            layer.pooling = _Means()
        return self

    def use(self, together: Callable[[Tensor], Tensor] = lambda sums: sums) -> None:
        """Take the means that were collected so far, for every tile from now on.

        Args:
            together: adds up what several processes have collected.

        Raises:
            ValueError: where no tile was seen.
        """
        for layer in self.layers:
            weight = layer.squeeze.weight
            sums = weight.new_zeros(1, weight.shape[1] + 1, 1, 1)  # the last one counts the tiles
            for part in layer.pooling.parts:
                sums[:, :-1] += part.sum(dim=0, keepdim=True)
                sums[:, -1] += len(part)
            sums = together(sums)
            if not sums[:, -1].any():
                raise ValueError("scene pooling: found no tile, expected one to be fused first")
            layer.pooling.fixed = sums[:, :-1] / sums[:, -1:]

    def __exit__(self, *_: object) -> None:
        for layer in self.layers:
            layer.pooling = None
