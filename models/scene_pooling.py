"""Squeeze-excite of a scene that is fused by tiles: the means of the scene in place of those of each tile."""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from torch import Tensor, nn
from torch.nn import functional

from .layers import SqueezeExcite

if TYPE_CHECKING:
    from .dcinn import DCINN


class _Means:
    """Collects the pooled means of one squeeze-excite, for each sample; gives their mean back once it is fixed."""

    def __init__(self, scene: "ScenePooling") -> None:
        self.scene = scene
        self.sums: Tensor | None = None
        self.weight = 0.0
        self.fixed: Tensor | None = None

    def __call__(self, x: Tensor) -> Tensor:
        if self.fixed is not None:
            return self.fixed.expand(x.shape[0], -1, -1, -1)
        pooled, weight = self.scene.pooled(x)
        self.sums = pooled * weight if self.sums is None else self.sums + pooled * weight
        self.weight += weight
        return pooled


class ScenePooling:
    """A context in which a network's squeeze-excites pool over a scene, and over its measured pixels alone.

    Until `use` every tile is pooled over itself, and its means are collected; afterwards all tiles take the mean of
    these, each by its share of measured pixels. That is not exactly what the whole image gives: the means of a deeper
    layer were collected behind shallower ones that saw tiles. The second order of a small difference.

    Args:
        model: a DCINN.

    Attributes:
        valid: (1, 1, H, W) of the tile that is run, 1 for pixels that count and 0 for others; None where all do.
    """

    valid: Tensor | None = None

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.layers = [
            cast("SqueezeExcite", module)
            for module in model.modules()
            if type(module).__name__ == SqueezeExcite.__name__  # by name: torch.hub's classes are another copy
        ]

    def __enter__(self) -> "ScenePooling":
        for layer in self.layers:
            layer.pooling = _Means(self)
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
            count = together(sums.new_full((), means.weight))
            if not count:
                raise ValueError("scene pooling: found no tile, expected one to be fused first")
            means.fixed, means.sums = together(sums) / count, None

    def pooled(self, x: Tensor) -> tuple[Tensor, float]:
        """Means (B, C, 1, 1) of what a layer sees of the tile, over the pixels that count, and their share."""
        if self.valid is None:
            return x.mean(dim=(2, 3), keepdim=True), 1.0
        height, width = self.valid.shape[-2:]
        high, wide = (cast("DCINN", self.model).padded_side(side) for side in (height, width))
        padded = functional.pad(self.valid.to(x), (0, wide - width, 0, high - height))  # what is reflected counts not
        weights = functional.avg_pool2d(padded, high // x.shape[-2])
        total = weights.sum(dim=(2, 3), keepdim=True)
        means = (x * weights).sum(dim=(2, 3), keepdim=True) / total.clamp(min=1)
        return means, float(self.valid.mean())

    def __exit__(self, *_: object) -> None:
        for layer in self.layers:
            layer.pooling = None
