"""Examples of reflected convolutions, and how their results are compared."""

import torch

from models.fast.reflected import plain


def example(case, seed=0):
    c_in, c_out, n, height, width = case
    generator = torch.Generator().manual_seed(seed)
    shapes = (n, c_in, height, width), (c_out, c_in, 3, 3), (c_out,), (n, c_out, height, width)
    x, kernel, bias, weight = (torch.randn(shape, generator=generator) for shape in shapes)
    return x, kernel / (9 * c_in) ** 0.5, bias, weight


def with_gradients(function, x, kernel, bias, weight, slope=1.0):
    inputs = [t.detach().requires_grad_() for t in (x, kernel, bias)]
    y = function(*inputs, slope)
    return (y.detach(), *torch.autograd.grad((y * weight).sum(), inputs))


def assert_same(found, expected, most=3e-6):
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        assert (one - other).norm() <= most * other.norm()
        assert (one - other).abs().max() <= 3 * most * other.abs().max()


def away_from_zero(x, kernel, bias):
    """The bias moved so that no result is so near to zero that rounding decides about the slope of its gradient."""
    flat = plain(x.double(), kernel.double(), torch.zeros_like(bias).double()).transpose(0, 1).flatten(1)
    for channel, values in enumerate(flat):
        ordered = values.sort().values
        gap = ordered.diff().argmax() if len(ordered) > 1 else 0
        bias[channel] = -(ordered[gap] + ordered[min(gap + 1, len(ordered) - 1)]) / 2
    return bias
