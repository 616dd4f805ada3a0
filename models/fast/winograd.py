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
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from . import compiled
from .threads import in_threads

SOURCE = Path(__file__).with_name("winograd.c")
SIZE, SIDE, PER = 5, 8, 4
CHUNK = 32  # tiles computed at a time
LEAST_TILES = 16  # with fewer tiles the transform of the kernel costs more than it saves
LEAST_WORK = 2**24  # least multiplications per thread
AGREED = 1e-4  # largest difference of the compiled code from PyTorch's convolution in its self-test
POINTS = torch.tensor([0, 1, -1, 2, -2, 1 / 2, -1 / 2], dtype=torch.float64)


def to_points() -> Tensor:
    """Return G, (8, 5) float64, which evaluates a line of weights at the points.

    Each row is divided by the product of the differences of its point from the other points.
    """
    differences = POINTS[:, None] - POINTS + torch.eye(len(POINTS), dtype=torch.float64)
    powers = POINTS[:, None] ** torch.arange(SIZE) / differences.prod(1, keepdim=True)
    return torch.cat((powers, torch.eye(SIZE, dtype=torch.float64)[-1:]))


class Job(ctypes.Structure):
    """The struct of winograd.c: the images' sizes, and the range of tiles that one call computes."""

    _fields_ = [(name, ctypes.c_long) for name in ("images", "height", "width", "channels", "first", "last", "chunk")]


class Routines:
    """The functions of winograd.c, compiled for vectors of `lanes` floats."""

    def __init__(self, functions: ctypes.CDLL, lanes: int) -> None:
        self.functions, self.lanes = functions, lanes
        functions.work_size.restype = ctypes.c_long

    def points(self, kernel: Tensor, turned: bool) -> Tensor:
        """Return a kernel evaluated at the 64 points, a flat tensor in the memory layout that `term` expects.

        Args:
            kernel: (C out, C in, 5, 5).
            turned: take the kernel of the transposed convolution instead.
        """
        channels = len(kernel)
        kernel = kernel.contiguous()
        points = kernel.new_empty(SIDE**2 * channels * self.padded(channels))
        self.functions.kernel_points(_at(kernel), ctypes.c_long(channels), int(turned), _at(points))
        return points

    def padded(self, channels: int) -> int:
        """Return the channels rounded up to a multiple of the vector length."""
        return -(-channels // self.lanes) * self.lanes

    def work(self, job: Job, gradient: bool) -> Tensor:
        """Return scratch memory for one job, a flat tensor, as the method `gradient` (if True) or `term` needs it."""
        return torch.empty(self.functions.work_size(ctypes.byref(job), int(gradient)))

    def term(
        self, job: Job, total: Tensor, x: Tensor | None, y: Tensor, points: Tensor, scale: float, work: Tensor
    ) -> None:
        """Write y = x + scale M total on the job's tiles.

        `total`, `x` and `y` are (N, H, W, C); x None means zero. `points` and `work` come from the methods so named.
        """
        start = None if x is None else _at(x)
        self.functions.term(ctypes.byref(job), _at(total), start, _at(y), _at(points), ctypes.c_float(scale), _at(work))

    def gradient(self, job: Job, total: Tensor, g: Tensor, sums: Tensor, scale: float, work: Tensor) -> None:
        """Add to `sums` (64, C, padded) `scale` times the gradient of `points`, computed from the job's tiles.

        `g` (N, H, W, C) is the gradient of M total.
        """
        self.functions.kernel_gradient(
            ctypes.byref(job), _at(total), _at(g), _at(sums), ctypes.c_float(scale), _at(work)
        )


def _at(tensor: Tensor) -> ctypes.c_void_p:
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
        parts = max(min(torch.get_num_threads(), tiles * SIDE**2 * channels**2 // LEAST_WORK), 1)
        edges = [tiles * part // parts for part in range(parts + 1)]
        chunks = [min(CHUNK, last - first) for first, last in itertools.pairwise(edges)]
        self.jobs = [
            Job(n, height, width, channels, first, last, chunk)
            for (first, last), chunk in zip(itertools.pairwise(edges), chunks, strict=True)
        ]

    def __call__(self, x: Tensor, kernel: Tensor, terms: int, totals: list[Tensor] | None = None) -> Tensor:
        """Return the sum of M^i x / i! over i = 0..terms by Horner's scheme, x and result (N, H, W, C).

        If given, `totals` receives every image that M was applied to, in order.
        """
        points = self.routines.points(kernel, turned=False)
        work = [self.routines.work(job, gradient=False) for job in self.jobs]
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
