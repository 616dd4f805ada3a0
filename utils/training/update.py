"""The work of a training step on the device: gradients, clipping, Adam, moving average. No value is read back."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .accumulation import accumulated
from .ema import Average
from .objectives import Group, Objective
from .settings import Settings

ADAM = {"betas": (0.9, 0.999), "eps": 1e-8, "fused": True}


class Update:
    """Takes training steps: each call changes the weights once and returns the terms of the loss.

    Args:
        objective: network and loss, on the device.
        settings: how the training is run.

    Attributes:
        run: the objective that a step calls; the engine replaces it if it is compiled or shared by several processes.
        groups: the parameter groups of the objective.
        optimiser: Adam over these groups.
        scaler: the loss scaler of fp16; disabled for other precisions.
        average: the moving average of the weights.
    """

    def __init__(self, objective: Objective, settings: Settings) -> None:
        self.objective, self.settings = objective, settings
        self.run: nn.Module = objective
        self.groups: list[Group] = objective.groups()
        self.optimiser = torch.optim.Adam(
            [{"params": g.parameters} for g in self.groups], lr=settings.recipe.lr, **ADAM
        )
        self.scaler = torch.amp.GradScaler(settings.device.type, enabled=settings.amp == "fp16")
        self.average = Average(settings.ema)

    def __call__(self, sources: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Take one step.

        Args:
            sources: the inputs of the objective, each (B, ...), on the device.

        Returns:
            The terms of the loss, (terms,), and the largest gradient norm of the groups before clipping, a scalar; both
            on the device.
        """
        self.optimiser.zero_grad(set_to_none=True)
        terms = accumulated(self.run, self.objective, sources, self.scaler, self.settings)
        self.scaler.unscale_(self.optimiser)
        most, device = self.settings.recipe.clip, self.settings.device
        norms = [nn.utils.clip_grad_norm_(group.parameters, most).to(device) for group in self.groups]
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.average.update(self.objective.model)
        return terms, torch.stack(norms).max()

    def set_rates(self, rates: Sequence[float]) -> None:
        """Set the learning rate of every group. Rates that are tensors, as in a recorded step, are filled in place."""
        for group, rate in zip(self.optimiser.param_groups, rates, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate

    def optimiser_state(self) -> dict:
        """Return the optimiser's state for a checkpoint, with plain numbers for learning rates that are tensors."""
        state = self.optimiser.state_dict()
        plain = [{**group, "lr": float(group["lr"]), "capturable": False} for group in state["param_groups"]]
        return {**state, "param_groups": plain}
