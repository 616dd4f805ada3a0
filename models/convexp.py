"""The convolution exponential: an invertible convolution without determinants or matrix inverses.

Source: Hoogeboom et al., "The convolution exponential and generalized Sylvester flows" (NeurIPS 2020), with the ten
terms and the 5x5 kernel of the released DCINN.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from .fast.series_fft import Spectrum, norm
from .invertible import Invertible

MOST_TERMS = 400
NOT_SEEN = 2.0**-24  # of the sum, in float32
LEAST_SIDE = 96
LEAST_TERMS = 8  # fewer convolutions cost less than the transforms
WORTH = 2**17  # pixels


def conv_exp(x: Tensor, kernel: Tensor, terms: int | None = 10) -> Tensor:
    """sum over i = 0..terms of M^i x / i!, M the zero-padded convolution with `kernel`.

    Args:
        x: (B, C, H, W).
        kernel: (C, C, k, k), k odd. With -kernel the sum is the inverse, up to truncation.
        terms: terms after the identity; None takes as many as the precision of x's dtype needs.

    Returns:
        (B, C, H, W).

    Raises:
        FloatingPointError: with terms None, if the series leaves the finite numbers or has not settled after 400 terms.

    Ten terms truncate: the released WV3 kernels have operator norms of 1.4 to 4.5, and ten terms forward and ten back
    miss the input by 5e-5 on smooth images (2e-3 on noise), in float64 too. None in both directions is exact.
    """
    padding = kernel.shape[-1] // 2
    if terms is not None:
        # Horner's scheme, x + M(x + M/2 (x + M/3 (x + ...))): no term of its own ever gets too small for the number
        # format. The plain sum of a fresh network runs into denormal numbers, which a CPU handles 8 times slower.
        total = x
        for i in range(terms, 0, -1):
            total = torch.add(x, functional.conv2d(total, kernel, padding=padding), alpha=1 / i)
        return total
    total = term = x
    small_before = False
    for i in range(1, MOST_TERMS + 1):
        term = functional.conv2d(term, kernel, padding=padding) / i
        total = total + term
        largest = total.abs().amax()
        if not torch.isfinite(largest):
            break
        # Terms may rise before they fall, and one may be small by chance: two small ones in a row end the series.
        small = bool(term.abs().amax() <= torch.finfo(total.dtype).eps * largest)
        if small and small_before:
            return total
        small_before = small
    raise FloatingPointError(
        f"convolution exponential: no convergence after {i} terms, the kernel's largest weight is "
        f"{kernel.abs().max().item():.3g}"
    )


class Prepared:
    """What inference with one kernel needs to know of it: the terms that count, and its spectrum for large images."""

    def __init__(self, kernel: Tensor, terms: int) -> None:
        self.kernel, self.asked = kernel.detach().clone(), terms
        largest = norm(self.kernel)
        sizes = [largest**i / math.factorial(i) for i in range(1, terms + 1)]
        self.terms = next((n for n in range(terms) if sum(sizes[n:]) <= NOT_SEEN), terms)
        self.seen = 0
        self.spectrum: Spectrum | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """exp(M) x. The spectrum takes as long as the sum on about 300 x 300 pixels, so the first ones do without."""
        if min(x.shape[-2:]) >= LEAST_SIDE and self.terms >= LEAST_TERMS:
            self.seen += x.shape[0] * x.shape[-2] * x.shape[-1]
            if self.spectrum is None and self.seen > WORTH:
                self.spectrum = Spectrum(self.kernel, self.terms)
            if self.spectrum is not None and self.spectrum.pays(*x.shape[-2:]):
                return self.spectrum(x)
        return conv_exp(x, self.kernel, self.terms)


class ConvExp(Invertible):
    """x -> exp(M) x with a learned 5x5 kernel, started as uniform(0, 1) * 1e-6 (close to the identity)."""

    def __init__(self, channels: int, terms: int = 10) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.rand(channels, channels, 5, 5) * 1e-6)
        self.terms = terms
        self.exact = False
        self._prepared: dict[int, Prepared] = {}

    @property
    def kept_bytes(self) -> int:
        """Of the spectra that inference on large images keeps."""
        return sum(p.spectrum.nbytes for p in self._prepared.values() if p.spectrum is not None)

    def train(self, mode: bool = True) -> "ConvExp":
        if mode:
            self._prepared.clear()
        return super().train(mode)

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_prepared": {}}  # copies and pickles go without what can be had again

    def forward(self, x: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        return self._power(x, 1)

    def inverse(self, y: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        return self._power(y, -1)

    def _power(self, x: Tensor, sign: int) -> Tensor:
        """exp(sign M) x."""
        kernel = sign * self.kernel
        if self.exact or torch.is_grad_enabled() or x.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
            return conv_exp(x, kernel, None if self.exact else self.terms)
        if x.device.type != "cpu" or torch.compiler.is_compiling():
            return conv_exp(x, kernel, self.terms)
        prepared = self._prepared.get(sign)
        if prepared is None or prepared.asked != self.terms or not torch.equal(prepared.kernel, kernel):
            prepared = self._prepared[sign] = Prepared(kernel, self.terms)
        return prepared(x)
