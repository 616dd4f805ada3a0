"""The convolution exponential with a fixed number of terms, by plain convolutions or Winograd's, with its gradient."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .winograd import LEAST_TILES, PER, SIZE, Series, routines_for


def horner(x: Tensor, kernel: Tensor, terms: int) -> Tensor:
    """Return x + M(x + M/2 (x + M/3 (x + ...))), `terms` terms after the identity, in the shape (B, C, H, W) of x.

    M is the zero-padded convolution with `kernel` (C, C, k, k), k odd. Horner's scheme avoids denormal numbers: in an
    untrained network the separate terms get that small, and a CPU is 8 times slower on them.
    """
    total = x
    for i in range(terms, 0, -1):
        total = torch.add(x, functional.conv2d(total, kernel, padding=kernel.shape[-1] // 2), alpha=1 / i)
    return total


def series(x: Tensor, kernel: Tensor, terms: int) -> Tensor:
    """Return `horner(x, kernel, terms)`, computed by Winograd's algorithm if `winograd` supports these tensors.

    That needs float32 on a CPU, a 5x5 kernel, at least 8 channels and 16 tiles, a C compiler, and no tracing.
    """
    if not _suits(x, kernel):
        return horner(x, kernel, terms)
    if torch.is_grad_enabled() and (x.requires_grad or kernel.requires_grad):
        return WinogradSeries.apply(x, kernel, terms)
    return _forward(x, kernel, terms)


def untransformed(*tensors: Tensor) -> bool:
    """Whether compiled code can take these tensors: plain float32 on a CPU, no autocast, no tracing, no transform."""
    if torch.compiler.is_compiling() or torch.jit.is_tracing() or torch._C._are_functorch_transforms_active():
        return False
    plain = all(type(t) in {Tensor, torch.nn.Parameter} and t.dtype == torch.float32 for t in tensors)
    return plain and all(t.device.type == "cpu" for t in tensors) and not torch.is_autocast_enabled("cpu")


def _suits(x: Tensor, kernel: Tensor) -> bool:
    if not untransformed(x, kernel):
        return False
    n, channels, height, width = x.shape
    if kernel.shape != (channels, channels, SIZE, SIZE) or n * -(-height // PER) * -(-width // PER) < LEAST_TILES:
        return False
    return routines_for(channels) is not None


def _innermost(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).contiguous()


def _forward(x: Tensor, kernel: Tensor, terms: int, totals: list[Tensor] | None = None) -> Tensor:
    routines = routines_for(x.shape[1])
    assert routines is not None
    x = _innermost(x.detach())
    return Series(routines, x)(x, kernel.detach(), terms, totals).permute(0, 3, 1, 2)


class WinogradSeries(torch.autograd.Function):
    """`series` by Winograd's algorithm as a differentiable function of x and kernel."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor, terms: int) -> Tensor:  # noqa: ANN401
        totals: list[Tensor] = []
        y = _forward(x, kernel, terms, totals)
        ctx.save_for_backward(x, kernel, *totals[1:])
        ctx.terms = terms
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:  # noqa: ANN401
        x, kernel, *totals = ctx.saved_tensors
        if torch.is_grad_enabled():  # derivatives of derivatives
            wanted = [t for t, needed in zip((x, kernel), ctx.needs_input_grad, strict=False) if needed]
            found = iter(torch.autograd.grad(horner(x, kernel, ctx.terms), wanted, grad, create_graph=True))
            of_x, of_kernel = (next(found) if needed else None for needed in ctx.needs_input_grad[:2])
            return of_x, of_kernel, None
        routines = routines_for(x.shape[1])
        assert routines is not None
        g = _innermost(grad)
        totals = [_innermost(x), *totals][: ctx.terms]
        of_x, of_kernel = Series(routines, g).backward(g, kernel, totals)
        return of_x.permute(0, 3, 1, 2), of_kernel, None
