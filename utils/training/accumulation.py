"""The gradients of a batch that is larger than what fits in memory."""

import contextlib

import torch
from torch import Tensor, nn

from utils import distributed

from .objectives import Objective
from .settings import Settings


def accumulated(
    step: nn.Module, objective: Objective, inputs: list[Tensor], scaler: torch.amp.GradScaler, settings: Settings
) -> Tensor:
    """Leave the batch's gradients in the parameters, computed `settings.at_once` samples after the other.

    Args:
        step: the objective as it is run: compiled, shared with other processes.
        objective: as it was written.
        inputs: what it takes, each (B, ...).
        scaler: of the loss.
        settings: precision and samples at once.

    Returns:
        The batch's terms of the loss, without a gradient.

    Exact but for the order of sums, where the objective is additive; where it is not, it cuts the batch by itself.
    """
    if settings.compile == "reduce-overhead":
        torch.compiler.cudagraph_mark_step_begin()
    total = len(inputs[0])
    size = settings.at_once if settings.at_once and objective.additive else total
    parts = list(zip(*(x.split(size) for x in inputs), strict=True))
    terms = torch.zeros((), device=inputs[0].device)
    for i, part in enumerate(parts, 1):
        alone = distributed.world() > 1 and i < len(parts)  # processes meet at the last part
        with step.no_sync() if alone else contextlib.nullcontext():
            with torch.autocast(settings.device.type, dtype=settings.dtype, enabled=settings.dtype is not None):
                found = step(*part) * (len(part[0]) / total)
            scaler.scale(found[0]).backward()
        terms = terms + found.detach()
    return terms
