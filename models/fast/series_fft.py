"""The convolution exponential of a large image by Fourier transforms: ten convolutions at the price of one product.

Far from the border the polynomial p(M) of a convolution M is one convolution, with a kernel of 41 x 41 that soon fades.
Tiles of the image are transformed, multiplied by p(M^) at every frequency, and transformed back (overlap-save). Near
the border the zero padding of every single term matters, so a band there is computed term by term, on strips that
reach further into the image than the band.

How far tiles overlap is read off the kernel: beyond `reach` pixels the weights of p(M) have 3e-6 of its norm or less.
The padding is felt less far than that, by a factor of five to ten (measured on trained kernels), so the band is as wide
as the weights reach down to 1e-5.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from .tile_fft import TileConvolution, good_side

FADED, FADED_BAND = 3e-6, 1e-5
MEASURED = (32, 64, 128)  # sides, in pixels, of the grids on which the reach is looked for
FREQUENCIES = 64  # whose matrices are multiplied at once
MOST_BYTES = 2**28  # of one spectrum, which is kept
LEAST_INTERIOR = 0.5  # of the image, for the transforms to pay


class Spectrum:
    """p(M), the exponential series up to M^terms, for one kernel and any image that is large enough.

    Args:
        kernel: (C, C, k, k) on the CPU, float32.
        terms: see `convexp.conv_exp`.

    Attributes:
        reach, band: pixels, see above; reach is None, and only the direct way left, where no tile holds p(M) or its
            spectrum would take over 256 MiB.
    """

    def __init__(self, kernel: Tensor, terms: int) -> None:
        self.kernel, self.terms = kernel, terms
        self.reach: int | None = None
        coefficients = [1 / math.factorial(i) for i in range(terms + 1)]
        for grid in MEASURED:
            if _bytes(grid, kernel) > 2 * MOST_BYTES:
                break
            energy = _energy(_polynomial(transformed(kernel, grid), coefficients), grid)
            reach = _reach(energy, FADED)
            if grid >= 4 * reach:
                side = good_side(reach)
                if _bytes(side, kernel) > MOST_BYTES:
                    break
                spectrum = _polynomial(transformed(kernel, side), coefficients)
                self.interior = TileConvolution(spectrum, side, reach)
                self.reach, self.band = reach, _reach(energy, FADED_BAND)
                break

    @property
    def nbytes(self) -> int:
        """Of memory that it keeps."""
        return 0 if self.reach is None else 2 * self.interior.real.nbytes

    def pays(self, height: int, width: int) -> bool:
        """Whether the band leaves enough of an image of these sides."""
        if self.reach is None:
            return False
        strip = 2 * self.band + self.reach
        return (1 - strip / height) * (1 - strip / width) >= LEAST_INTERIOR if min(height, width) > strip else False

    def __call__(self, x: Tensor) -> Tensor:
        """p(M) x of (B, C, H, W), float32."""
        inner = slice(self.band, -self.band)
        y = torch.empty_like(x)
        for image, out in zip(x.permute(0, 2, 3, 1), y.permute(0, 2, 3, 1), strict=True):
            self.interior(image, out[inner, inner], self.band)
        y[:, :, : self.band] = self._edge(x, 2, end=False)
        y[:, :, -self.band :] = self._edge(x, 2, end=True)
        y[:, :, inner, : self.band] = self._edge(x, 3, end=False)[:, :, inner]
        y[:, :, inner, -self.band :] = self._edge(x, 3, end=True)[:, :, inner]
        return y

    def _edge(self, x: Tensor, axis: int, end: bool) -> Tensor:
        """p(M) x in the band of one side, by Horner's scheme on a strip that gets narrower as less is to come."""
        padding, reach = self.kernel.shape[-1] // 2, self.reach
        assert reach is not None

        def strip(image: Tensor, pixels: int) -> Tensor:
            return image.narrow(axis, image.shape[axis] - pixels if end else 0, pixels)

        total = strip(x, self.band + min(reach, padding * self.terms))
        for i in range(self.terms, 0, -1):
            pixels = self.band + min(reach, padding * (i - 1))
            total = functional.conv2d(total, self.kernel, padding=padding)
            total = torch.add(strip(x, pixels), strip(total, pixels), alpha=1 / i)
        return total


def _bytes(side: int, kernel: Tensor) -> int:
    """Of a spectrum."""
    return side * (side // 2 + 1) * kernel.shape[0] ** 2 * 8


def transformed(kernel: Tensor, side: int) -> Tensor:
    """M at every frequency, (side * (side // 2 + 1), C, C); conv2d correlates, so the kernel is mirrored."""
    size = kernel.shape[-1]
    grid = kernel.new_zeros((*kernel.shape[:2], side, side))
    grid[..., :size, :size] = kernel.flip(-1, -2)
    grid = grid.roll((-(size // 2), -(size // 2)), (-2, -1))
    return torch.fft.rfft2(grid).flatten(2).permute(2, 0, 1).contiguous()


def _polynomial(m: Tensor, coefficients: list[float]) -> Tensor:
    """p(m) of a batch of matrices, by powers up to the third (Paterson and Stockmeyer, 1973)."""
    result = torch.empty_like(m)
    for part, out in zip(m.split(FREQUENCIES), result.split(FREQUENCIES), strict=True):
        square = part @ part
        cube = square @ part
        value = None
        for start in range((len(coefficients) - 1) // 3 * 3, -1, -3):
            first, second, third = [*coefficients[start : start + 3], 0, 0][:3]
            value = torch.zeros_like(part) if value is None else value @ cube
            value.add_(part, alpha=second).add_(square, alpha=third)
            value.diagonal(dim1=1, dim2=2).add_(first)
        out.copy_(value)
    return result


def _energy(spectrum: Tensor, side: int) -> Tensor:
    """Squares of p(M)'s weights into each output channel, (C, side, side), over the distance in each direction."""
    channels = spectrum.shape[-1]
    energy = torch.zeros(channels, side, side)
    for c, row in enumerate(spectrum.unbind(1)):  # of one output channel, to bound the memory
        energy[c] = torch.fft.irfft2(row.t().reshape(channels, side, side // 2 + 1), s=(side, side)).square().sum(0)
    return energy


def _reach(energy: Tensor, faded: float) -> int:
    """Pixels beyond which the weights have `faded` of their norm; half the side where they do not fade."""
    side = energy.shape[-1]
    away = torch.arange(side)
    away = torch.minimum(away, side - away)
    distance = torch.maximum(away[:, None], away)
    whole = energy.sum((1, 2))
    for reach in range(1, side // 2):
        if bool(((energy * (distance > reach)).sum((1, 2)) <= faded**2 * whole).all()):
            return reach
    return side // 2


def norm(kernel: Tensor) -> float:
    """The convolution's operator norm (L2): power iteration at the frequencies of a grid of 16, and a tenth more."""
    m = transformed(kernel, 16)
    vector = m.sum(2, keepdim=True) + torch.finfo(m.dtype).tiny
    for _ in range(12):
        vector = vector / torch.linalg.vector_norm(vector, dim=1, keepdim=True)
        vector = m.mH @ (m @ vector)
    return 1.1 * float(torch.linalg.vector_norm(vector, dim=1).max().sqrt())
