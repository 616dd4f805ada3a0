"""The contract of an invertible step, and the two ways to combine steps without writing an inverse by hand."""

from torch import Tensor, nn


class Invertible(nn.Module):
    """A step that can be undone: `inverse(forward(x, conditions), conditions)` is x.

    `conditions` are the auxiliary features of ANet, one tensor a scale; a step that needs none ignores them.
    """

    def forward(self, x: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        raise NotImplementedError

    def inverse(self, y: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        raise NotImplementedError


class Compose(Invertible):
    """Named steps one after the other; the inverse is the inverses in reverse order."""

    def __init__(self, **steps: Invertible) -> None:
        super().__init__()
        for name, step in steps.items():
            self.add_module(name, step)

    def forward(self, x: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        for step in self.children():
            x = step(x, conditions)
        return x

    def inverse(self, y: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        for step in reversed(list(self.children())):
            assert isinstance(step, Invertible)
            y = step.inverse(y, conditions)
        return y


class Inverse(Invertible):
    """A step turned round: forward runs the step's inverse, inverse runs its forward."""

    def __init__(self, step: Invertible) -> None:
        super().__init__()
        self.step = step

    def forward(self, x: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        return self.step.inverse(x, conditions)

    def inverse(self, y: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        return self.step(y, conditions)
