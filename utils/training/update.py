"""One step's work on the device: gradients, clipping, Adam, average. Nothing in it asks the device for a number."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .accumulation import accumulated
from .ema import Average
from .objectives import Group, Objective
from .settings import Settings

ADAM = {"betas": (0.9, 0.999), "eps": 1e-8, "fused": True}


class Update:
    """(inputs of the objective) -> (terms of the loss, (terms,); the largest norm of a group's gradient, a scalar).

    Args:
        objective: network and loss.
        settings: see `Settings`.

    Attributes:
        run: the objective as it is run: compiled, shared with other processes.
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
        """Take one step."""
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
        """Learning rates of the groups; a captured step reads them from the device."""
        for group, rate in zip(self.optimiser.param_groups, rates, strict=True):
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate

    def optimiser_state(self) -> dict:
        """For a checkpoint: rates as numbers, whatever the step reads them from."""
        state = self.optimiser.state_dict()
        plain = [{**group, "lr": float(group["lr"]), "capturable": False} for group in state["param_groups"]]
        return {**state, "param_groups": plain}
