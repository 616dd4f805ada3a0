"""Squeeze-excite for a scene that is fused in tiles: it pools over the whole scene instead of over each tile."""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from torch import Tensor, nn
from torch.nn import functional

from .layers import SqueezeExcite

if TYPE_CHECKING:
    from .dcinn import DCINN


class _Means:
    """The pooling of one squeeze-excite: it returns and sums the tiles' means, or returns `fixed` once that is set."""

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
    """A context in which the squeeze-excites of a network pool over the valid pixels of a whole scene.

    Before `use`, every tile is pooled over itself and its means are collected. After `use`, all tiles share the mean of
    these, weighted by each tile's fraction of valid pixels. This approximates the whole image to second order: the
    means of a deeper layer were collected while the shallower layers still pooled over tiles.

    Args:
        model: a DCINN.

    Attributes:
        valid: (1, 1, H, W) mask of the current tile, 1 for pixels to pool over and 0 for others; None is all pixels.
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
        """Fix the mean of each layer over the tiles run so far; all later tiles use it.

        Args:
            together: function that sums a tensor over all processes; needed if several processes run tiles.

        Raises:
            ValueError: if no tile was run before.
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
        """Return the means (B, C, 1, 1) of a layer's input over the tile's valid pixels, and their fraction, 0 to 1."""
        if self.valid is None:
            return x.mean(dim=(2, 3), keepdim=True), 1.0
        height, width = self.valid.shape[-2:]
        high, wide = (cast("DCINN", self.model).padded_side(side) for side in (height, width))
        padded = functional.pad(self.valid.to(x), (0, wide - width, 0, high - height))  # padding is not pooled over
        weights = functional.avg_pool2d(padded, high // x.shape[-2])
        total = weights.sum(dim=(2, 3), keepdim=True)
        means = (x * weights).sum(dim=(2, 3), keepdim=True) / total.clamp(min=1)
        return means, float(self.valid.mean())

    def __exit__(self, *_: object) -> None:
        for layer in self.layers:
            layer.pooling = None
