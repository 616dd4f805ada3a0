"""The 3x3 convolution of a reflected image as a layer, by PyTorch's convolution or Winograd's, with its gradient."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .reflected import plain, routines_for, tiles
from .series import untransformed

LEAST_TILES = 16  # with fewer tiles the transform of the kernel costs more than it saves
LEAST_WORK = {False: 2**13, True: 2**16}  # least tiles times C in times C out, without and with gradients


class ReflectConv(nn.Conv2d):
    """A 3x3 convolution with one reflected pixel on every side, (B, C in, H, W) -> (B, C out, H, W)."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__(c_in, c_out, 3, padding=1, padding_mode="reflect")

    def forward(self, x: Tensor, slope: float = 1.0) -> Tensor:
        """Return the convolution, its negative values multiplied by `slope`."""
        assert self.bias is not None
        if suits(x, self.weight, self.bias):
            return winograd(x, self.weight, self.bias, slope)
        y = super().forward(x)
        return y if slope == 1 else functional.leaky_relu(y, slope)


def suits(x: Tensor, kernel: Tensor, bias: Tensor) -> bool:
    """Whether `winograd` can compute with these tensors, and is faster with them than PyTorch."""
    if not untransformed(x, kernel, bias) or x.dim() != 4 or x.shape[1] != kernel.shape[1] or min(x.shape[2:]) < 2:
        return False
    count, with_gradient = tiles(x.shape[0], *x.shape[2:]), _needs_gradient(x, kernel, bias)
    if count < LEAST_TILES or count * kernel.shape[0] * kernel.shape[1] < LEAST_WORK[with_gradient]:
        return False
    return routines_for(min(kernel.shape[:2])) is not None


def winograd(x: Tensor, kernel: Tensor, bias: Tensor, slope: float) -> Tensor:
    """Return what `reflected.plain` returns, for tensors that suit."""
    if _needs_gradient(x, kernel, bias):
        return WinogradConv.apply(x, kernel, bias, slope)
    return _forward(x, kernel, bias, slope)


def _needs_gradient(*tensors: Tensor) -> bool:
    return torch.is_grad_enabled() and any(t.requires_grad for t in tensors)


def _innermost(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).contiguous()


def _forward(x: Tensor, kernel: Tensor, bias: Tensor, slope: float) -> Tensor:
    routines = routines_for(min(kernel.shape[:2]))
    assert routines is not None
    return routines.forward(_innermost(x.detach()), kernel.detach(), bias.detach(), slope).permute(0, 3, 1, 2)


class WinogradConv(torch.autograd.Function):
    """`winograd` as a differentiable function of x, kernel and bias."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor, bias: Tensor, slope: float) -> Tensor:  # noqa: ANN401
        y = _forward(x, kernel, bias, slope)
        ctx.save_for_backward(x, kernel, bias, *(() if slope == 1 else (y,)))
        ctx.slope = slope
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None, None]:  # noqa: ANN401
        x, kernel, bias, *results = ctx.saved_tensors
        needed = ctx.needs_input_grad[:3]
        if torch.is_grad_enabled():  # derivatives of derivatives
            wanted = [t for t, need in zip((x, kernel, bias), needed, strict=True) if need]
            found = iter(torch.autograd.grad(plain(x, kernel, bias, ctx.slope), wanted, grad, create_graph=True))
            of_x, of_kernel, of_bias = (next(found) if need else None for need in needed)
            return of_x, of_kernel, of_bias, None
        routines = routines_for(min(kernel.shape[:2]))
        assert routines is not None
        if results:
            grad = torch.ops.aten.leaky_relu_backward(grad, results[0], ctx.slope, True)
        g = _innermost(grad)
        of_x = routines.gradient_of_image(g, kernel).permute(0, 3, 1, 2) if needed[0] else None
        of_kernel, of_bias = None, None
        if needed[1] or needed[2]:
            of_kernel, of_bias = routines.gradients_of_weights(_innermost(x), g)
        return of_x, of_kernel if needed[1] else None, of_bias if needed[2] else None, None
