"""The interface of an invertible step, and two combinations of steps that derive their inverse from the parts."""

from torch import Tensor, nn


class Invertible(nn.Module):
    """A step with an inverse: `inverse(forward(x, conditions), conditions)` is x.

    `conditions` are the features of ANet, one tensor per scale; a step that needs none ignores them.
    """

    def forward(self, x: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        raise NotImplementedError

    def inverse(self, y: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        raise NotImplementedError


class Compose(Invertible):
    """Runs named steps one after the other; its inverse runs their inverses in reverse order."""

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
    """Swaps the directions of a step: forward runs the step's inverse, inverse runs its forward."""

    def __init__(self, step: Invertible) -> None:
        super().__init__()
        self.step = step

    def forward(self, x: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        return self.step.inverse(x, conditions)

    def inverse(self, y: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        return self.step(y, conditions)
