"""3x3 convolutions of reflected images by Winograd's F(4x4, 3x3): 36 products per tile of 4 x 4 pixels instead of 144.

A tile of 4 x 4 results depends on 6 x 6 pixels; winograd_base.py has the maths. The points are 0, r, -r, 1/r, -1/r and
infinity, r the square root of 2. F(6x6, 3x3), with the points of winograd.py, has fewer products but four times the
error. Reflection by one pixel happens as the pixels are read, so there is no extended copy of the image. The gradient
of the image is computed for the extended image, two pixels higher and wider; what its border gets is then added to the
pixels that were reflected there.

The algorithm runs in float32 on a CPU. Results differ from plain convolutions by about 1e-6 of the largest value. Only
scratch memory is kept between calls.
"""

import ctypes
import functools
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from . import compiled
from .threads import in_threads
from .winograd_base import AGREED, Compiled, Job, at, jobs_for

SOURCE = Path(__file__).with_name("reflected.c")
SIZE, PER = 3, 4
ROOT = 2**0.5


def plain(x: Tensor, kernel: Tensor, bias: Tensor, slope: float = 1.0) -> Tensor:
    """Return LeakyReLU(kernel * x + bias), (B, C out, H, W), by PyTorch's convolution of the reflected image.

    Args:
        x: (B, C in, H, W).
        kernel: (C out, C in, 3, 3).
        bias: (C out,).
        slope: factor of negative results; 1 changes nothing.
    """
    y = functional.conv2d(functional.pad(x, (1, 1, 1, 1), mode="reflect"), kernel, bias)
    return y if slope == 1 else functional.leaky_relu(y, slope)


class Reflected(Compiled):
    """The functions of reflected.c, compiled for vectors of `lanes` floats. All images are (N, H, W, C)."""

    places, size = (0, ROOT, -ROOT, 1 / ROOT, -1 / ROOT), SIZE

    def forward(self, x: Tensor, kernel: Tensor, bias: Tensor, slope: float) -> Tensor:
        """Return what `plain` returns; the arguments are the same except for the layout of the image."""
        n, height, width, c_in = x.shape
        jobs = self._jobs(x, (c_in, len(kernel)), margin=0)
        points, bias = self.points(kernel, turned=False), bias.contiguous()
        y = x.new_empty(n, height, width, len(kernel))

        def run(job: Job, work: Tensor) -> None:
            self.functions.convolve(
                ctypes.byref(job), at(x), at(points), at(bias), ctypes.c_float(slope), at(y), at(work)
            )

        in_threads([functools.partial(run, *pair) for pair in zip(jobs, self.work(jobs, False), strict=True)])
        return y

    def gradient_of_image(self, g: Tensor, kernel: Tensor) -> Tensor:
        """Return the gradient of the image (N, H, W, C in) for the gradient g (N, H, W, C out) of the convolution."""
        n, height, width, _ = g.shape
        jobs = self._jobs(g, (kernel.shape[0], kernel.shape[1]), margin=1)
        points = self.points(kernel, turned=True)
        y = g.new_empty(n, height, width, kernel.shape[1])
        border = g.new_empty(2 * n * (height + width + 2) * kernel.shape[1])

        def run(job: Job, work: Tensor) -> None:
            self.functions.spread(ctypes.byref(job), at(g), at(points), at(y), at(border), at(work))

        in_threads([functools.partial(run, *pair) for pair in zip(jobs, self.work(jobs, False), strict=True)])
        self.functions.fold(ctypes.byref(jobs[0]), at(y), at(border))
        return y

    def gradients_of_weights(self, x: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gradients of kernel (C out, C in, 3, 3) and bias (C out,) for the gradient g (N, H, W, C out)."""
        c_in, c_out = x.shape[-1], g.shape[-1]
        jobs = self._jobs(x, (c_in, c_out), margin=0)
        sums, biases = self.sums(jobs), g.new_zeros(len(jobs), self.padded(c_out))

        def run(job: Job, part: Tensor, bias: Tensor, work: Tensor) -> None:
            self.functions.weight_gradients(ctypes.byref(job), at(x), at(g), at(part), at(bias), at(work))

        parts = zip(jobs, sums, biases, self.work(jobs, True), strict=True)
        in_threads([functools.partial(run, *part) for part in parts])
        return self.from_sums(sums, c_out), biases.sum(0)[:c_out]

    def _jobs(self, x: Tensor, channels: tuple[int, int], margin: int) -> list[Job]:
        """Return the jobs for images that are extended by `margin` pixels."""
        n, height, width, _ = x.shape
        return jobs_for(x, channels, tiles(n, height + 2 * margin, width + 2 * margin), self.products)


def tiles(n: int, height: int, width: int) -> int:
    """Return the number of tiles of n images."""
    return n * -(-height // PER) * -(-width // PER)


@functools.cache
def _routines(lanes: int) -> Reflected | None:
    """Return the compiled functions; None if they cannot be compiled or differ from PyTorch on a small example."""
    functions = compiled.loaded(SOURCE, f"VEC={lanes}")
    if functions is None:
        return None
    routines = Reflected(functions, lanes)
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(2, lanes + 1, 9, 14, generator=generator)
    kernel = torch.rand(lanes, lanes + 1, SIZE, SIZE, generator=generator) / lanes / SIZE**2
    y = routines.forward(x.permute(0, 2, 3, 1).contiguous(), kernel, kernel[:, 0, 0, 0], 0.2).permute(0, 3, 1, 2)
    return routines if bool((y - plain(x, kernel, kernel[:, 0, 0, 0], 0.2)).abs().max() <= AGREED) else None


def routines_for(channels: int) -> Reflected | None:
    """Return the routines for the longest vectors that the channels fill.

    Return None for fewer than 8 channels, or if the routines cannot be compiled or fail their self-test.

    Args:
        channels: the fewer of C in and C out.
    """
    lanes = compiled.lanes_for(channels)
    return None if lanes is None else _routines(lanes)
