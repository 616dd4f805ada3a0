"""The convolution exponential: an invertible convolution without determinants or matrix inverses.

Source: Hoogeboom et al., "The convolution exponential and generalized Sylvester flows" (NeurIPS 2020), with the ten
terms and the 5x5 kernel of the released DCINN.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .fast.series import horner, series
from .fast.series_norm import terms_that_count
from .invertible import Invertible

MOST_TERMS = 400


def conv_exp(x: Tensor, kernel: Tensor, terms: int | None = 10) -> Tensor:
    """Return the sum over i = 0..terms of M^i x / i!, M being the zero-padded convolution with `kernel`.

    Args:
        x: (B, C, H, W).
        kernel: (C, C, k, k), k odd. With -kernel the sum is the inverse, up to truncation.
        terms: terms after the identity; None adds terms until the precision of x's dtype is reached.

    Returns:
        (B, C, H, W).

    Raises:
        FloatingPointError: with terms None, if the sum overflows or has not converged after 400 terms.

    Ten terms truncate the series. The released WV3 kernels have operator norms of 1.4 to 4.5: ten terms forward and ten
    back differ from the input by 5e-5 on smooth images (2e-3 on noise), in float64 too. With None in both directions
    the inverse is exact to the precision.
    """
    if terms is not None:
        return horner(x, kernel, terms)
    padding = kernel.shape[-1] // 2
    total = term = x
    small_before = False
    for i in range(1, MOST_TERMS + 1):
        term = functional.conv2d(term, kernel, padding=padding) / i
        total = total + term
        largest = total.abs().amax()
        if not torch.isfinite(largest):
            break
        # Terms may grow before they shrink, and one may be small by chance: stop after two small terms in a row.
        small = bool(term.abs().amax() <= torch.finfo(total.dtype).eps * largest)
        if small and small_before:
            return total
        small_before = small
    raise FloatingPointError(
        f"convolution exponential: no convergence after {i} terms, the kernel's largest weight is "
        f"{kernel.abs().max().item():.3g}"
    )


class ConvExp(Invertible):
    """x -> exp(M) x with a learned 5x5 kernel, initialised with uniform(0, 1) * 1e-6 (close to the identity).

    Args:
        channels: C, the channels of x.
        terms: terms of the series after the identity.

    Attributes:
        exact: if True, sum as many terms as the precision needs instead, see `conv_exp` with terms None.
    """

    def __init__(self, channels: int, terms: int = 10) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.rand(channels, channels, 5, 5) * 1e-6)
        self.terms = terms
        self.exact = False
        self._counted: tuple[Tensor, int, int] | None = None

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_counted": None}  # a cache that can be rebuilt: not copied, not pickled

    def forward(self, x: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        return self._power(x, 1)

    def inverse(self, y: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        return self._power(y, -1)

    def _power(self, x: Tensor, sign: int) -> Tensor:
        """Return exp(sign M) x."""
        kernel = sign * self.kernel
        if self.exact:
            return conv_exp(x, kernel, None)
        return series(x, kernel, self._terms(x))

    def _terms(self, x: Tensor) -> int:
        """Return how many terms to sum: all of them with gradients, in traced graphs, and off the CPU or float32.

        Otherwise the terms that do not change the float32 sum are left out; their number is cached with the kernel.
        """
        if torch.is_grad_enabled() or x.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
            return self.terms
        if x.device.type != "cpu" or torch.compiler.is_compiling() or torch.jit.is_tracing():
            return self.terms
        counted = self._counted
        if counted is None or counted[1] != self.terms or not torch.equal(counted[0], self.kernel):
            kernel = self.kernel.detach().clone()
            counted = self._counted = kernel, self.terms, terms_that_count(kernel, self.terms)
        return counted[2]
