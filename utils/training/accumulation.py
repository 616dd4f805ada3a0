"""Gradient accumulation, for batches that do not fit in memory at once."""

import contextlib

import torch
from torch import Tensor, nn

from utils import distributed

from .compilation import WITH_GRAPHS
from .objectives import Objective
from .settings import Settings


def accumulated(
    step: nn.Module, objective: Objective, inputs: list[Tensor], scaler: torch.amp.GradScaler, settings: Settings
) -> Tensor:
    """Compute the batch's gradients into the parameters, `settings.at_once` samples at a time.

    For an additive objective this is exact up to the order of sums. An objective that is not additive gets the whole
    batch and splits it itself.

    Args:
        step: the objective as it is run, perhaps compiled or wrapped for several processes.
        objective: the same objective, unwrapped.
        inputs: its inputs, each (B, ...).
        scaler: the loss scaler of mixed precision.
        settings: precision and samples at once.

    Returns:
        The terms of the loss for the batch, (terms,), without a gradient.
    """
    if settings.compile in WITH_GRAPHS:
        torch.compiler.cudagraph_mark_step_begin()
    total = len(inputs[0])
    size = settings.at_once if settings.at_once and objective.additive else total
    parts = list(zip(*(x.split(size) for x in inputs), strict=True))
    terms = torch.zeros((), device=inputs[0].device)
    for i, part in enumerate(parts, 1):
        alone = distributed.world() > 1 and i < len(parts)  # gradients are averaged over processes at the last part
        with step.no_sync() if alone else contextlib.nullcontext():
            with torch.autocast(settings.device.type, dtype=settings.dtype, enabled=settings.dtype is not None):
                found = step(*part) * (len(part[0]) / total)
            scaler.scale(found[0]).backward()
        terms = terms + found.detach()
    return terms
