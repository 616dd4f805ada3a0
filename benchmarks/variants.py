"""The variants that speed.py compares: the plain network and ours, with the same weights."""

from collections.abc import Callable

import torch
from plain import PlainDCINN
from torch import Tensor

from models import DCINN
from utils.training.accumulation import accumulated
from utils.training.objectives import DetailObjective
from utils.training.recipe import Recipe
from utils.training.settings import Settings

Call = Callable[[], Tensor]


def inference(model: DCINN, a: Tensor, b: Tensor, bf16: bool) -> dict[str, Call]:
    """Return variant -> function without arguments that returns the fused image of a and b."""
    device = a.device.type

    def infer(network: Callable, half: bool = False) -> Call:
        def call() -> Tensor:
            with torch.no_grad(), torch.autocast(device, dtype=torch.bfloat16, enabled=half):
                return network(a, b).float()

        return call

    calls = {"plain": infer(PlainDCINN(model)), "ours": infer(model)}
    return {**calls, "ours, bf16": infer(model, True)} if bf16 else calls


def training(model: DCINN, a: Tensor, b: Tensor, at_once: int | None, bf16: bool) -> dict[str, Call]:
    """Return variant -> function without arguments that runs forward and backward passes and returns the loss.

    The loss is the L1 distance to the base image; for ps also that of the inverse direction.
    """
    plain, both = PlainDCINN(model), model.config.task == "ps"
    objective = DetailObjective(model, weight=float(both))
    scaler = torch.amp.GradScaler(a.device.type, enabled=False)

    def theirs() -> Tensor:
        for weight in plain.weights.values():
            weight.grad = None
        base, detail = plain.decomposition(a, b)
        residual = plain.flow(detail, plain.conditions(a, b))
        loss = (base + residual - a).abs().mean()
        if both:  # in the direct form, the inverse direction computes its conditions again
            loss = loss + (plain.flow_inverse(residual, plain.conditions(a, b)) - detail).abs().mean()
        loss.backward()
        return loss.detach()

    def ours(recompute: bool = False, at_once: int | None = None, amp: str = "off") -> Call:
        settings = Settings(None, a.device, Recipe(0.0, 0, 1, 1), amp=amp, at_once=at_once)

        def call() -> Tensor:
            model.recompute = recompute
            model.zero_grad(set_to_none=True)
            return accumulated(objective, objective, [a, b, a], scaler, settings)[0]

        return call

    calls = {"plain": theirs, "ours": ours()}
    if at_once:
        calls[f"ours, {at_once} at once"] = ours(at_once=at_once)
        calls[f"ours, {at_once} at once, recomputed"] = ours(True, at_once=at_once)
    calls["ours, recomputed"] = ours(True)
    if bf16:
        calls["ours, bf16"] = ours(amp="bf16")
        calls["ours, bf16, recomputed"] = ours(True, amp="bf16")
    return calls
