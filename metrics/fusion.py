"""Metrics of infrared-visible fusion from histograms, differences and correlations. Gray images (H, W) on 0..255.

Definitions: the evaluator of CDDFuse (Zhao et al., CVPR 2023), checked against it. `sd_unnormalised` and
`entropy_twice` are two columns of the DCINN paper, which prints them as SD and MI. Structural metrics: `structure.py`.
"""

import numpy as np

from .checks import gray, grays, sides

LEVELS = 256


def en(fused: np.ndarray) -> float:
    """Return the entropy of the histogram in bits, 0 to 8; gray values are rounded half to even.

    Args:
        fused: (H, W), 0 to 255.

    Raises:
        ValueError: for another rank, NaN, values outside 0..255 or in [0, 1].

    Example:
        >>> en(np.array([[0, 255], [0, 255]]))
        1.0
    """
    return _entropy(np.bincount(_levels(gray("fused", fused)).ravel(), minlength=LEVELS))


def entropy_twice(fused: np.ndarray) -> float:
    """Return twice the entropy, in bits, 0 to 16. Argument and errors as for `en`.

    The DCINN paper prints this as "MI" because of a fault in its script, but it is not mutual information.
    """
    return 2 * en(fused)


def sd(fused: np.ndarray) -> float:
    """Return the (population) standard deviation over the pixels, in gray values. Argument and errors as for `en`."""
    return float(gray("fused", fused).std())


def sd_unnormalised(fused: np.ndarray) -> float:
    """Return the DCINN paper's "SD": the root of the SUM of squared deviations, with gray values scaled to [0, 1].

    It grows with the number of pixels. Argument and errors as for `en`.
    """
    x = gray("fused", fused) / 255
    return float(np.sqrt(np.square(x - x.mean()).sum()))


def sf(fused: np.ndarray) -> float:
    """Return the spatial frequency sqrt(RF^2 + CF^2), in gray values.

    RF^2 is the mean squared difference of horizontal neighbours, and CF^2 of vertical neighbours. Argument and errors
    as for `en`.
    """
    x = gray("fused", fused)
    across = np.square(np.diff(x, axis=1)).mean() if x.shape[1] > 1 else 0.0
    down = np.square(np.diff(x, axis=0)).mean() if x.shape[0] > 1 else 0.0
    return float(np.sqrt(across + down))


def ag(fused: np.ndarray) -> float:
    """Return the average gradient, the mean of sqrt((Gx^2 + Gy^2) / 2), in gray values per pixel.

    Differences are central, one-sided at the borders.

    Args:
        fused: (H, W), 0 to 255, sides of at least 2.

    Raises:
        ValueError: as for `en`, and for sides under 2.
    """
    x = gray("fused", fused)
    sides("ag", x, 2)
    gy, gx = np.gradient(x)
    return float(np.sqrt((gx**2 + gy**2) / 2).mean())


def mi(fused: np.ndarray, infrared: np.ndarray, visible: np.ndarray, *, bits: bool = False) -> float:
    """Return the sum of the mutual information of the fused image with each source, 0 or more.

    Args:
        fused, infrared, visible: (H, W), 0 to 255, rounded half to even for 256x256 joint histograms.
        bits: return bits; the default is nats, as in the published tables of the CDDFuse protocol.

    Raises:
        ValueError: for unequal shapes, another rank, NaN, values outside 0..255 or in [0, 1].

    Example:
        >>> image = np.array([[0, 255], [0, 255]])
        >>> mi(image, image, np.zeros((2, 2)), bits=True)
        1.0
    """
    f, a, b = grays(fused, infrared, visible)
    total = _mutual_information(f, a) + _mutual_information(f, b)
    return total if bits else float(total * np.log(2))


def cc(fused: np.ndarray, infrared: np.ndarray, visible: np.ndarray) -> float:
    """Return the mean of Pearson's correlations of the fused image with each source, -1 to 1.

    NaN if an image is constant. Arguments and errors as for `mi`.
    """
    f, a, b = grays(fused, infrared, visible)
    return (_correlation(a, f) + _correlation(b, f)) / 2


def scd(fused: np.ndarray, infrared: np.ndarray, visible: np.ndarray) -> float:
    """Return the sum of the correlations of differences (Aslantas and Bendes, 2015), -2 to 2.

    It is r(ir, fused - vi) + r(vi, fused - ir); NaN if a source or a difference is constant. Arguments and errors as
    for `mi`.
    """
    f, a, b = grays(fused, infrared, visible)
    return _correlation(a, f - b) + _correlation(b, f - a)


def mse(fused: np.ndarray, infrared: np.ndarray, visible: np.ndarray) -> float:
    """Return the mean of the mean squared errors to the two sources, in squared gray values.

    Arguments and errors as for `mi`.
    """
    f, a, b = grays(fused, infrared, visible)
    return float((np.square(a - f).mean() + np.square(b - f).mean()) / 2)


def psnr_to_sources(fused: np.ndarray, infrared: np.ndarray, visible: np.ndarray) -> float:
    """Return 10 log10(max(fused)^2 / mse) in dB, mse being the function `mse`. Arguments and errors as for `mi`."""
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(gray("fused", fused).max() ** 2 / np.float64(mse(fused, infrared, visible))))


def _levels(image: np.ndarray) -> np.ndarray:
    return np.rint(image).astype(np.int64)


def _entropy(counts: np.ndarray) -> float:
    p = counts[counts > 0] / counts.sum()
    return float((p * np.log2(1 / p)).sum())


def _mutual_information(x: np.ndarray, y: np.ndarray) -> float:
    """Return the mutual information of two gray images in bits."""
    joint = np.bincount((LEVELS * _levels(x) + _levels(y)).ravel(), minlength=LEVELS**2).reshape(LEVELS, LEVELS)
    return _entropy(joint.sum(axis=1)) + _entropy(joint.sum(axis=0)) - _entropy(joint.ravel())


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    if x.min() == x.max() or y.min() == y.max():
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / np.sqrt(np.square(x).sum() * np.square(y).sum()))
