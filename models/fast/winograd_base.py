"""What both Winograd algorithms share: evaluation at points, tiles split over threads, and the functions of winograd.h.

A tile of PER x PER results of a convolution with SIZE x SIZE weights depends on SIDE x SIDE pixels, where SIDE is
PER + SIZE - 1. Along a line, the pixels d, the weights k and the results y satisfy y = A^T ((G k) * (B^T d)): d and k
are evaluated at SIDE points, one of them infinity (Toom and Cook), multiplied there, and interpolated. In two
dimensions, with channels, the product at each of the SIDE^2 points is a matrix product over the channels (Lavin and
Gray, 2016). The gradient of the image is the same algorithm with the transposed kernel; the gradient of the kernel
takes one more matrix product per point. The C code computes a few tiles at a time, so that all intermediate results
stay in the cache.
"""

import ctypes
import functools
import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .scratch import scratch

CHUNK = 32  # tiles computed at a time
LEAST_WORK = 2**24  # least multiplications per thread
AGREED = 1e-4  # largest difference of the compiled code from PyTorch's convolution in its self-test


def to_points(points: Sequence[float], size: int) -> Tensor:
    """Return G, (points + 1, size) float64, which evaluates a line of `size` weights at the points and at infinity.

    Each row is divided by the product of the differences of its point from the other points.
    """
    places = torch.tensor(points, dtype=torch.float64)
    differences = places[:, None] - places + torch.eye(len(places), dtype=torch.float64)
    powers = places[:, None] ** torch.arange(size) / differences.prod(1, keepdim=True)
    return torch.cat((powers, torch.eye(size, dtype=torch.float64)[-1:]))


@functools.cache
def _from_points(points: Sequence[float], size: int) -> Tensor:
    with torch.inference_mode(False):
        evaluate = to_points(points, size)
        return torch.kron(evaluate, evaluate).t().float().contiguous()


class Job(ctypes.Structure):
    """The struct of winograd.h: the images' sizes, and the range of tiles that one call computes."""

    _fields_ = [
        (name, ctypes.c_long)
        for name in ("images", "height", "width", "channels_in", "channels_out", "first", "last", "chunk")
    ]


def jobs_for(x: Tensor, channels: tuple[int, int], tiles: int, products: int) -> list[Job]:
    """Return jobs that split the tiles over as many threads as PyTorch uses, or fewer if that is little work.

    Args:
        x: images of the jobs' sizes, (N, H, W, any).
        channels: C in and C out.
        tiles: tiles of all images.
        products: points of a tile, SIDE^2.
    """
    parts = max(min(torch.get_num_threads(), tiles * products * channels[0] * channels[1] // LEAST_WORK), 1)
    edges = [tiles * part // parts for part in range(parts + 1)]
    return [
        Job(*x.shape[:3], *channels, first, last, min(CHUNK, last - first)) for first, last in itertools.pairwise(edges)
    ]


def at(tensor: Tensor) -> ctypes.c_void_p:
    """Return the address of a tensor's first number."""
    return ctypes.c_void_p(tensor.data_ptr())


class Compiled:
    """The functions of winograd.h, compiled as part of one of the two sources for vectors of `lanes` floats.

    Attributes:
        places: the points of a line except infinity.
        size: SIZE, the kernel's side.
    """

    places: tuple[float, ...]
    size: int

    def __init__(self, functions: ctypes.CDLL, lanes: int) -> None:
        self.functions, self.lanes = functions, lanes
        functions.work_size.restype = ctypes.c_long

    @property
    def products(self) -> int:
        """The points of a tile, SIDE^2."""
        return (len(self.places) + 1) ** 2

    def points(self, kernel: Tensor, turned: bool) -> Tensor:
        """Return a kernel evaluated at all points, a flat tensor of scratch memory as the C code expects it.

        Args:
            kernel: (C out, C in, size, size).
            turned: take the kernel of the transposed convolution instead.
        """
        c_in, c_out = kernel.shape[:2] if turned else (kernel.shape[1], kernel.shape[0])
        kernel = kernel.contiguous()
        points = scratch("points", self.products * (c_in * self.padded(c_out) + self.lanes))
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
        """Return zeros (SIDE^2, C in, padded C out) for each job, scratch memory, for the gradient of the points."""
        shape = self.products, jobs[0].channels_in, self.padded(jobs[0].channels_out)
        pieces = [scratch(("sums", part), math.prod(shape)) for part in range(len(jobs))]
        return [piece[: math.prod(shape)].view(shape).zero_() for piece in pieces]

    def from_sums(self, sums: Sequence[Tensor], channels_out: int) -> Tensor:
        """Return the gradient of a kernel, (C out, C in, size, size).

        Args:
            sums: tensors of the method `sums` whose total is the gradient of the points. The first one is overwritten.
            channels_out: C out.
        """
        whole = sums[0]
        for part in sums[1:]:
            whole += part
        of_kernel = _from_points(self.places, self.size) @ whole.flatten(1)
        of_kernel = of_kernel.view(self.size, self.size, *whole.shape[1:])[..., :channels_out]
        return of_kernel.permute(3, 2, 0, 1).contiguous()
