"""The convolution exponential by Winograd's F(4x4, 5x5): 64 products a tile of 4 x 4 pixels instead of 400.

A tile of 4 x 4 results of a 5 x 5 convolution depends on 8 x 8 pixels. Along a line, the 8 pixels d, the 5 weights k
and the 4 results y are related by y = A^T ((G k) * (B^T d)): both are taken to 8 points (0, 1, -1, 2, -2, 1/2, -1/2,
infinity; Toom and Cook), multiplied there, and interpolated. In two dimensions, with channels, the product at each of
the 64 points is a matrix product over the channels (Lavin and Gray, 2016). Gradients go the same way: to the image with
the transposed kernel, to the kernel by one matrix product a point more. winograd.c has all of it, on few tiles at a
time, so that what lies between image and result stays in cache; the zero padding is the plain convolution's.

float32 on a CPU, from 8 channels on, where `compiled` finds a compiler. Results differ from the plain sum's by some
5e-6 of the largest value. Nothing is kept between calls.
"""

import ctypes
import functools
import itertools
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from . import compiled
from .threads import in_threads

SOURCE = Path(__file__).with_name("winograd.c")
SIZE, SIDE, PER = 5, 8, 4
CHUNK = 32  # tiles at a time
LEAST_TILES = 16  # fewer do not repay the transform of the kernel
LEAST_WORK = 2**24  # multiplications of a thread
AGREED = 1e-4
POINTS = torch.tensor([0, 1, -1, 2, -2, 1 / 2, -1 / 2], dtype=torch.float64)


def to_points() -> Tensor:
    """G, (8, 5) float64: weights of a line to the points, each over the product of its differences from the others."""
    differences = POINTS[:, None] - POINTS + torch.eye(len(POINTS), dtype=torch.float64)
    powers = POINTS[:, None] ** torch.arange(SIZE) / differences.prod(1, keepdim=True)
    return torch.cat((powers, torch.eye(SIZE, dtype=torch.float64)[-1:]))


class Job(ctypes.Structure):
    """As in winograd.c."""

    _fields_ = [(name, ctypes.c_long) for name in ("images", "height", "width", "channels", "first", "last", "chunk")]


class Routines:
    """winograd.c for vectors of so many floats, and one job's calls of it."""

    def __init__(self, functions: ctypes.CDLL, lanes: int) -> None:
        self.functions, self.lanes = functions, lanes
        functions.work_size.restype = ctypes.c_long

    def points(self, kernel: Tensor, turned: bool) -> Tensor:
        """What `term` wants of a kernel (C, C, 5, 5); turned: of the transposed convolution's."""
        channels = len(kernel)
        kernel = kernel.contiguous()
        points = kernel.new_empty(SIDE**2 * channels * self.padded(channels))
        self.functions.kernel_points(_at(kernel), ctypes.c_long(channels), int(turned), _at(points))
        return points

    def padded(self, channels: int) -> int:
        """Channels as planes have them."""
        return -(-channels // self.lanes) * self.lanes

    def work(self, job: Job, gradient: bool) -> Tensor:
        """Memory that a job takes beside its results."""
        return torch.empty(self.functions.work_size(ctypes.byref(job), int(gradient)))

    def term(
        self, job: Job, total: Tensor, x: Tensor | None, y: Tensor, points: Tensor, scale: float, work: Tensor
    ) -> None:
        """y = x + scale M total on the job's tiles; images (N, H, W, C)."""
        start = None if x is None else _at(x)
        self.functions.term(ctypes.byref(job), _at(total), start, _at(y), _at(points), ctypes.c_float(scale), _at(work))

    def gradient(self, job: Job, total: Tensor, g: Tensor, sums: Tensor, scale: float, work: Tensor) -> None:
        """sums (64, C, padded) += scale times the gradient of the points by the job's tiles of g, that of M total."""
        self.functions.kernel_gradient(
            ctypes.byref(job), _at(total), _at(g), _at(sums), ctypes.c_float(scale), _at(work)
        )


def _at(tensor: Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(tensor.data_ptr())


@functools.cache
def _routines(lanes: int) -> Routines | None:
    """None also where what the compiler made of it does not convolve."""
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
    """The routines of the longest vectors that the channels fill, or None: the plain way."""
    lanes = next((n for n in compiled.vectors() if n <= channels), None)
    return None if lanes is None or channels < 8 else _routines(lanes)


class Series:
    """Calls on images of one size, spread over PyTorch's threads.

    Args:
        routines: of winograd.c.
        x: any image (N, H, W, C) of that size.
    """

    def __init__(self, routines: Routines, x: Tensor) -> None:
        self.routines = routines
        n, height, width, channels = x.shape
        tiles = n * -(-height // PER) * -(-width // PER)
        parts = max(min(torch.get_num_threads(), tiles * SIDE**2 * channels**2 // LEAST_WORK), 1)
        edges = [tiles * part // parts for part in range(parts + 1)]
        chunks = [min(CHUNK, last - first) for first, last in itertools.pairwise(edges)]
        self.jobs = [
            Job(n, height, width, channels, first, last, chunk)
            for (first, last), chunk in zip(itertools.pairwise(edges), chunks, strict=True)
        ]

    def __call__(self, x: Tensor, kernel: Tensor, terms: int, totals: list[Tensor] | None = None) -> Tensor:
        """p(M) x, (N, H, W, C) both, by Horner's scheme; `totals` gets what M was applied to, the first one first."""
        points = self.routines.points(kernel, turned=False)
        work = [self.routines.work(job, gradient=False) for job in self.jobs]
        total = x
        for i in range(terms, 0, -1):
            if totals is not None:
                totals.append(total)
            total = self._term(total, x, points, 1 / i, work)
        return total

    def backward(self, grad: Tensor, kernel: Tensor, totals: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Gradients of x (N, H, W, C) and of the kernel, for that of the result and the totals of the call."""
        routines, channels = self.routines, grad.shape[-1]
        points = routines.points(kernel, turned=True)
        work = [routines.work(job, gradient=True) for job in self.jobs]
        sums = [grad.new_zeros(SIDE**2, channels, routines.padded(channels)) for _ in self.jobs]
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
        whole = sums[0]
        for part in sums[1:]:
            whole += part
        back = torch.kron(to_points(), to_points()).t().float().contiguous()
        of_kernel = (back @ whole.flatten(1)).view(SIZE, SIZE, channels, -1)[..., :channels]
        return of_x, of_kernel.permute(3, 2, 0, 1).contiguous()

    def _term(self, total: Tensor, x: Tensor | None, points: Tensor, scale: float, work: list[Tensor]) -> Tensor:
        y = torch.empty_like(total)
        in_threads(
            [
                functools.partial(self.routines.term, job, total, x, y, points, scale, memory)
                for job, memory in zip(self.jobs, work, strict=True)
            ]
        )
        return y
