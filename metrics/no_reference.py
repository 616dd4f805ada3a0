"""Indices of pansharpening at full resolution, without a reference, as the DLPan-Toolbox computes them.

QNR: Alparone et al., PE&RS 2008. HQNR: Aiazzi et al., 2014, with the D_lambda of Khan et al., TGRS 2009. No border is
cut. The toolbox measures spectral distortion against the interpolated MS, in 32x32 blocks.
"""

import numpy as np

from .checks import alike, bands, digital_numbers
from .filters import imresize, interp23, mtf_filter
from .q2n_index import BLOCK, q2n


def d_lambda(fused: np.ndarray, lms: np.ndarray) -> float:
    """Return the spectral distortion, the mean over pairs of bands of |Q(fused_i, fused_j) - Q(lms_i, lms_j)|.

    Q is the universal quality index, averaged over 32x32 blocks.

    Args:
        fused: (H, W, B), sides multiples of 32, any unit.
        lms: (H, W, B), the MS interpolated to the pan's size, same unit.

    Returns:
        0 or more, lower is better; 0 for lms itself, by definition. NaN if a block is constant in two bands.

    Raises:
        ValueError: for unequal shapes, sides that are not multiples of 32, fewer than two bands, NaN or infinity.

    Example:
        >>> image = np.arange(32 * 32 * 2.0).reshape(32, 32, 2) % 7
        >>> d_lambda(image, image)
        0.0
    """
    f, g = alike(fused=fused, lms=lms)
    if g.shape[2] < 2:
        raise ValueError(f"d_lambda: found {g.shape[2]} band, expected at least two")
    a, b = (_Blocks("d_lambda", image) for image in (f, g))
    pairs = [(i, j) for i in range(a.count) for j in range(i + 1, a.count)]
    return float(np.mean([abs(a.uqi(i, a, j) - b.uqi(i, b, j)) for i, j in pairs]))


def d_s(fused: np.ndarray, lms: np.ndarray, pan: np.ndarray, *, ratio: int = 4) -> float:
    """Return the spatial distortion, the mean over bands of |Q(fused_i, pan) - Q(lms_i, low-resolution pan)|.

    Q is the universal quality index, averaged over 32x32 blocks.

    Args:
        fused, lms: (H, W, B), sides multiples of 32, any unit.
        pan: (H, W), same unit. The low-resolution pan is its bicubic reduction, interpolated back with 23 taps.
        ratio: resolution ratio of MS and pan, a power of two.

    Returns:
        0 or more, lower is better. NaN if a block is constant in a band and in the pan.

    Raises:
        ValueError: for unequal shapes, sides that are not multiples of 32, a ratio that is not a power of two, NaN or
            infinity.
    """
    f, g = alike(fused=fused, lms=lms)
    sharp = bands("pan", pan)
    if sharp.shape != (*g.shape[:2], 1):
        raise ValueError(f"pan: found shape {np.shape(pan)}, expected {g.shape[:2]}, that of lms")
    if not isinstance(ratio, int) or ratio < 2:
        raise ValueError(f"d_s: found ratio {ratio!r}, expected a power of two")
    low = interp23(imresize(sharp, 1 / ratio), ratio)
    a, b, p, q = (_Blocks("d_s", image) for image in (f, g, sharp, low))
    return float(np.mean([abs(a.uqi(i, p, 0) - b.uqi(i, q, 0)) for i in range(a.count)]))


def qnr(fused: np.ndarray, lms: np.ndarray, pan: np.ndarray, *, ratio: int = 4) -> float:
    """Return the quality with no reference, (1 - d_lambda)(1 - d_s); higher is better, 1 at most.

    Arguments and errors as for `d_lambda` and `d_s`.
    """
    return (1 - d_lambda(fused, lms)) * (1 - d_s(fused, lms, pan, ratio=ratio))


def d_lambda_k(fused: np.ndarray, lms: np.ndarray, *, sensor: str, ratio: int = 4) -> float:
    """Return Khan's spectral distortion: 1 - Q2n between the fused image, blurred by the MS sensor's MTF, and lms.

    Args:
        fused, lms: (H, W, B) in digital numbers (Q2n rounds them).
        sensor: see `filters.mtf_kernels`; for names that have no listed gains, such as GF2, the gain is 0.3.
        ratio: resolution ratio of MS and pan.

    Returns:
        0 to 1, lower is better; not 0 for lms itself.

    Raises:
        ValueError: for unequal shapes, another number of bands than the sensor's, images in [0, 1], NaN or infinity.
    """
    f, g = alike(fused=fused, lms=lms)
    digital_numbers("lms", lms)
    digital_numbers("fused", fused)
    return 1 - q2n(mtf_filter(f, sensor, ratio), g)


def hqnr(fused: np.ndarray, lms: np.ndarray, pan: np.ndarray, *, sensor: str, ratio: int = 4) -> float:
    """Return the hybrid QNR, (1 - d_lambda_k)(1 - d_s); higher is better, 1 at most.

    Arguments and errors as for `d_lambda_k` and `d_s`.
    """
    return (1 - d_lambda_k(fused, lms, sensor=sensor, ratio=ratio)) * (1 - d_s(fused, lms, pan, ratio=ratio))


class _Blocks:
    """The non-overlapping 32x32 blocks of an image's bands, means removed, for the UQI between any two bands."""

    def __init__(self, metric: str, image: np.ndarray) -> None:
        if any(side % BLOCK for side in image.shape[:2]):
            h, w = image.shape[:2]
            raise ValueError(f"{metric}: found {h}x{w} pixels, expected whole {BLOCK}x{BLOCK} blocks")
        rows, columns, self.count = image.shape[0] // BLOCK, image.shape[1] // BLOCK, image.shape[2]
        image = image.reshape(rows, BLOCK, columns, BLOCK, self.count).transpose(4, 0, 2, 1, 3)
        blocks = image.reshape(self.count, rows * columns, BLOCK**2)
        self.mean = blocks.mean(axis=2)
        self.centred = blocks - self.mean[..., None]
        flat = blocks.max(axis=2) == blocks.min(axis=2)
        self.centred[flat] = 0  # exactly 0, whatever the rounding of the mean
        self.variance = np.square(self.centred).mean(axis=2)

    def uqi(self, band: int, other: "_Blocks", other_band: int) -> float:
        """Return the universal quality index (Wang and Bovik, 2002) of two bands, averaged over the blocks, -1 to 1."""
        covariance = (self.centred[band] * other.centred[other_band]).mean(axis=1)
        a, b = self.mean[band], other.mean[other_band]
        with np.errstate(divide="ignore", invalid="ignore"):
            q = 4 * covariance * a * b / ((self.variance[band] + other.variance[other_band]) * (a**2 + b**2))
        return float(q.mean())
