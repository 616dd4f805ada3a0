"""The convolution exponential by Winograd's F(4x4, 5x5): 64 products per tile of 4 x 4 pixels instead of 400.

A tile of 4 x 4 results of a 5 x 5 convolution depends on 8 x 8 pixels. Along a line, the 8 pixels d, the 5 weights k
and the 4 results y satisfy y = A^T ((G k) * (B^T d)): d and k are evaluated at 8 points (0, 1, -1, 2, -2, 1/2, -1/2,
infinity; Toom and Cook), multiplied there, and interpolated. In two dimensions, with channels, the product at each of
the 64 points is a matrix product over the channels (Lavin and Gray, 2016). The gradient of the image is the same
algorithm with the transposed kernel; the gradient of the kernel takes one more matrix product per point. winograd.c
computes a few tiles at a time, so that all intermediate results stay in the cache. Padding is with zeros, as in the
plain convolution.

The algorithm runs in float32 on a CPU, from 8 channels on, if `compiled` finds a compiler. Results differ from plain
convolutions by about 5e-6 of the largest value. Nothing is kept between calls.
"""

import ctypes
import functools
import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from . import compiled
from .scratch import scratch
from .threads import in_threads

SOURCE = Path(__file__).with_name("winograd.c")
SIZE, SIDE, PER = 5, 8, 4
CHUNK = 32  # tiles computed at a time, at most
CHUNK_CHANNELS = 1024  # tiles computed at a time times channels, at most
LEAST_TILES = 16  # with fewer tiles the transform of the kernel costs more than it saves
LEAST_WORK = 2**24  # least multiplications per thread
AGREED = 1e-4  # largest difference of the compiled code from PyTorch's convolution in its self-test
POINTS = torch.tensor([0, 1, -1, 2, -2, 1 / 2, -1 / 2], dtype=torch.float64)


def to_points(size: int) -> Tensor:
    """Return G, (8, size) float64, which evaluates a line of weights at the points.

    Each row is divided by the product of the differences of its point from the other points.
    """
    differences = POINTS[:, None] - POINTS + torch.eye(len(POINTS), dtype=torch.float64)
    powers = POINTS[:, None] ** torch.arange(size) / differences.prod(1, keepdim=True)
    return torch.cat((powers, torch.eye(size, dtype=torch.float64)[-1:]))


@functools.cache
def _back(size: int) -> Tensor:
    with torch.inference_mode(False):
        return torch.kron(to_points(size), to_points(size)).t().float().contiguous()


def from_sums(sums: Sequence[Tensor], size: int, channels_out: int) -> Tensor:
    """Return the gradient of a kernel, (C out, C in, size, size).

    Args:
        sums: one or more tensors (64, C in, padded C out), whose sum is the gradient of the kernel's points. The first
            one is overwritten.
        size: 3 or 5.
        channels_out: C out.
    """
    whole = sums[0]
    for part in sums[1:]:
        whole += part
    of_kernel = (_back(size) @ whole.flatten(1)).view(size, size, *whole.shape[1:])[..., :channels_out]
    return of_kernel.permute(3, 2, 0, 1).contiguous()


class Job(ctypes.Structure):
    """The struct of winograd.h: the images' sizes, and the range of tiles that one call computes."""

    _fields_ = [
        (name, ctypes.c_long)
        for name in ("images", "height", "width", "channels_in", "channels_out", "first", "last", "chunk")
    ]


def jobs_for(n: int, height: int, width: int, channels: tuple[int, int], tiles: int) -> list[Job]:
    """Return jobs that split the tiles over as many threads as PyTorch uses, or fewer if that is little work.

    Args:
        n, height, width: the images' sizes.
        channels: C in and C out.
        tiles: tiles of all images.
    """
    parts = max(min(torch.get_num_threads(), tiles * SIDE**2 * channels[0] * channels[1] // LEAST_WORK), 1)
    edges = [tiles * part // parts for part in range(parts + 1)]
    chunk = min(CHUNK, max(CHUNK_CHANNELS // max(channels), CHUNK // 4))
    return [
        Job(n, height, width, *channels, first, last, min(chunk, last - first))
        for first, last in itertools.pairwise(edges)
    ]


class Compiled:
    """What winograd.c and reflected.c have from winograd.h, compiled for vectors of `lanes` floats."""

    def __init__(self, functions: ctypes.CDLL, lanes: int) -> None:
        self.functions, self.lanes = functions, lanes
        functions.work_size.restype = ctypes.c_long

    def points(self, kernel: Tensor, turned: bool) -> Tensor:
        """Return a kernel evaluated at the 64 points, a flat tensor in the memory layout that `term` expects.

        Args:
            kernel: (C out, C in, k, k), k of the compiled source.
            turned: take the kernel of the transposed convolution instead.
        """
        c_in, c_out = kernel.shape[:2] if turned else (kernel.shape[1], kernel.shape[0])
        kernel = kernel.contiguous()
        points = scratch("points", SIDE**2 * (c_in * self.padded(c_out) + self.lanes))
        self.functions.kernel_points(at(kernel), ctypes.c_long(c_in), ctypes.c_long(c_out), int(turned), at(points))
        return points

    def padded(self, channels: int) -> int:
        """Return the channels rounded up to a multiple of the vector length."""
        return -(-channels // self.lanes) * self.lanes

    def work(self, jobs: Sequence[Job], gradient: bool) -> list[Tensor]:
        """Return scratch memory for each job, flat tensors; `gradient`: for the gradient of the kernel, too."""
        sizes = [self.functions.work_size(ctypes.byref(job), int(gradient)) for job in jobs]
        return [scratch(("work", part), size) for part, size in enumerate(sizes)]

    def sums(self, jobs: Sequence[Job]) -> list[Tensor]:
        """Return zeros (64, C in, padded C out) for each job, scratch memory, for the gradient of the points."""
        shape = SIDE**2, jobs[0].channels_in, self.padded(jobs[0].channels_out)
        pieces = [scratch(("sums", part), math.prod(shape)) for part in range(len(jobs))]
        return [piece[: math.prod(shape)].view(shape).zero_() for piece in pieces]


class Routines(Compiled):
    """The functions of winograd.c."""

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
        self.functions.kernel_gradient(
            ctypes.byref(job), at(total), at(g), at(sums), ctypes.c_float(scale), at(work)
        )


def at(tensor: Tensor) -> ctypes.c_void_p:
    """Return the address of a tensor's first number."""
    return ctypes.c_void_p(tensor.data_ptr())


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
    lanes = next((n for n in compiled.vectors() if n <= channels), None)
    return None if lanes is None or channels < 8 else _routines(lanes)


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
        self.jobs = jobs_for(n, height, width, (channels, channels), tiles)

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
        routines, channels = self.routines, grad.shape[-1]
        points = routines.points(kernel, turned=True)
        work = routines.work(self.jobs, gradient=True)
        sums = routines.sums(self.jobs)
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
        return of_x, from_sums(sums, SIZE, channels)

    def _term(self, total: Tensor, x: Tensor | None, points: Tensor, scale: float, work: list[Tensor]) -> Tensor:
        y = torch.empty_like(total)
        in_threads(
            [
                functools.partial(self.routines.term, job, total, x, y, points, scale, memory)
                for job, memory in zip(self.jobs, work, strict=True)
            ]
        )
        return y
