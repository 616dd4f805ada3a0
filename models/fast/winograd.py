"""The convolution exponential by Winograd's F(4x4, 5x5): 64 products per tile of 4 x 4 pixels instead of 400.

A tile of 4 x 4 results of a 5 x 5 convolution depends on 8 x 8 pixels; winograd_base.py has the maths. The points are
0, 1, -1, 2, -2, 1/2, -1/2 and infinity. Padding is with zeros, as in the plain convolution.

The algorithm runs in float32 on a CPU, from 8 channels on, if `compiled` finds a compiler. Results differ from plain
convolutions by about 5e-6 of the largest value. Only scratch memory is kept between calls.
"""

import ctypes
import functools
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from . import compiled
from .threads import in_threads
from .winograd_base import AGREED, Compiled, Job, at, jobs_for

SOURCE = Path(__file__).with_name("winograd.c")
SIZE, PER = 5, 4
LEAST_TILES = 16  # with fewer tiles the transform of the kernel costs more than it saves


class Routines(Compiled):
    """The functions of winograd.c."""

    places, size = (0, 1, -1, 2, -2, 1 / 2, -1 / 2), SIZE

    def term(
        self, job: Job, total: Tensor, x: Tensor | None, y: Tensor, points: Tensor, scale: float, work: Tensor
    ) -> None:
        """Write y = x + scale M total on the job's tiles.

        `total`, `x` and `y` are (N, H, W, C); x None means zero. `points` and `work` come from the methods so named.
        """
        start = None if x is None else at(x)
        self.functions.term(ctypes.byref(job), at(total), start, at(y), at(points), ctypes.c_float(scale), at(work))

    def gradient(self, job: Job, total: Tensor, g: Tensor, sums: Tensor, scale: float, work: Tensor) -> None:
        """Add to `sums` (64, C, padded) `scale` times the gradient of `points`, computed from the job's tiles.

        `g` (N, H, W, C) is the gradient of M total.
        """
        factor = ctypes.c_float(scale)
        self.functions.kernel_gradient(ctypes.byref(job), at(total), at(g), at(sums), factor, at(work))


@functools.cache
def _routines(lanes: int) -> Routines | None:
    """Return the compiled functions; None if they cannot be compiled or differ from PyTorch on a small example."""
    functions = compiled.loaded(SOURCE, f"VEC={lanes}")
    if functions is None:
        return None
    routines = Routines(functions, lanes)
    channels = lanes + 1
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(2, channels, 9, 14, generator=generator)
    kernel = torch.rand(channels, channels, SIZE, SIZE, generator=generator) / channels / SIZE**2
    series = Series(routines, x.permute(0, 2, 3, 1).contiguous())
    y = series(x.permute(0, 2, 3, 1).contiguous(), kernel, 1).permute(0, 3, 1, 2)
    expected = x + functional.conv2d(x, kernel, padding=SIZE // 2)
    return routines if bool((y - expected).abs().max() <= AGREED) else None


def routines_for(channels: int) -> Routines | None:
    """Return the routines for the longest vectors that the channels fill.

    Return None for fewer than 8 channels, or if the routines cannot be compiled or fail their self-test.
    """
    lanes = compiled.lanes_for(channels)
    return None if lanes is None else _routines(lanes)


class Series:
    """The convolution exponential of images of one size, its tiles split over as many threads as PyTorch uses.

    Args:
        routines: the compiled functions, from `routines_for`.
        x: any image (N, H, W, C) of that size.
    """

    def __init__(self, routines: Routines, x: Tensor) -> None:
        self.routines = routines
        n, height, width, channels = x.shape
        tiles = n * -(-height // PER) * -(-width // PER)
        self.jobs = jobs_for(x, (channels, channels), tiles, routines.products)

    def __call__(self, x: Tensor, kernel: Tensor, terms: int, totals: list[Tensor] | None = None) -> Tensor:
        """Return the sum of M^i x / i! over i = 0..terms by Horner's scheme, x and result (N, H, W, C).

        If given, `totals` receives every image that M was applied to, in order.
        """
        points = self.routines.points(kernel, turned=False)
        work = self.routines.work(self.jobs, gradient=False)
        total = x
        for i in range(terms, 0, -1):
            if totals is not None:
                totals.append(total)
            total = self._term(total, x, points, 1 / i, work)
        return total

    def backward(self, grad: Tensor, kernel: Tensor, totals: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the gradients of x (N, H, W, C) and of the kernel (C, C, 5, 5).

        Args:
            grad: the gradient of the result, (N, H, W, C).
            kernel: (C, C, 5, 5).
            totals: the list that the forward call filled.
        """
        routines = self.routines
        points = routines.points(kernel, turned=True)
        work, sums = routines.work(self.jobs, gradient=True), routines.sums(self.jobs)
        g, of_x = grad, grad.clone()
        for i, total in enumerate(reversed(totals), 1):
            in_threads(
                [
                    functools.partial(routines.gradient, job, total, g, part, 1 / i, memory)
                    for job, part, memory in zip(self.jobs, sums, work, strict=True)
                ]
            )
            g = self._term(g, None, points, 1 / i, work)
            of_x += g
        return of_x, routines.from_sums(sums, grad.shape[-1])

    def _term(self, total: Tensor, x: Tensor | None, points: Tensor, scale: float, work: list[Tensor]) -> Tensor:
        y = torch.empty_like(total)
        in_threads(
            [
                functools.partial(self.routines.term, job, total, x, y, points, scale, memory)
                for job, memory in zip(self.jobs, work, strict=True)
            ]
        )
        return y
