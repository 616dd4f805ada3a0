"""The column that the DCINN paper prints as MS-SSIM: multi-exposure fusion quality (Ma, Zeng and Wang, TIP 2015).

It compares the fused image with a patch-wise ideal built from the sources: their strongest contrast, the weighted
mean of their structures. Identified by value; definitions as of the Matlab code that is widely used with it.
"""

import numpy as np

from .checks import grays, sides
from .structure import MS_WEIGHTS, filter_valid, gaussian

SCALES = 3
WINDOW = 11
_PIXELS = WINDOW**2
_EPS = np.finfo(np.float64).eps


def mef_ssim(fused: np.ndarray, infrared: np.ndarray, visible: np.ndarray) -> float:
    """Structural quality of a fusion with regard to all its sources together, three scales, 0 to 1.

    Symmetric in the sources. Not the MS-SSIM of Wang et al. (`ms_ssim`), although papers of this field print it under
    that name; it gives 0.87 where the other gives 0.65.

    Args:
        fused, infrared, visible: (H, W), 0 to 255, sides of at least 41.

    Raises:
        ValueError: for unequal shapes, another rank, small sides, NaN, values outside 0..255 or in [0, 1].
    """
    f, *sources = grays(fused, infrared, visible)
    sides("mef_ssim", f, 4 * (WINDOW - 1) + 1)
    weights = np.array(MS_WEIGHTS[:SCALES]) / sum(MS_WEIGHTS[:SCALES])
    result = 1.0
    for scale in range(SCALES):
        if scale:
            f, *sources = (_halved(image) for image in (f, *sources))
        result *= max(_quality(f, sources), 0.0) ** weights[scale]
    return float(result)


def _halved(image: np.ndarray) -> np.ndarray:
    """2x2 means, the border mirrored at the bottom and right, every second pixel."""
    wide = np.pad(image, ((0, 1), (0, 1)), mode="symmetric")
    return ((wide[:-1, :-1] + wide[1:, :-1] + wide[:-1, 1:] + wide[1:, 1:]) / 4)[::2, ::2]


def _quality(fused: np.ndarray, sources: list[np.ndarray]) -> float:
    """One scale. The ideal patch is c * sum_k a_k (b_k - mean b_k), so that its moments are those of the sources."""
    box = np.full(WINDOW, 1 / WINDOW)
    covariance = _covariances([*sources, sum(sources[1:], sources[0])], box)
    count = len(sources)
    deviations = [np.sqrt(np.maximum(_PIXELS * covariance[k, k], 0)) for k in range(count)]
    whole = np.sqrt(np.maximum(_PIXELS * covariance[count, count], 0))
    energies = [d + 0.001 for d in deviations]
    consistency = (whole + _EPS) / (sum(deviations) + _EPS)
    power = np.minimum(np.tan(np.pi / 2 * np.clip(consistency, _EPS, 1 - _EPS)), 10)
    shares = [(e / WINDOW) ** power + _EPS for e in energies]
    a = [share / sum(shares) / e for share, e in zip(shares, energies, strict=True)]

    pairs = [(k, m) for k in range(count) for m in range(count)]
    norm = np.sqrt(np.maximum(_PIXELS * sum(a[k] * a[m] * covariance[min(k, m), max(k, m)] for k, m in pairs), 0))
    largest = np.maximum.reduce(energies)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(norm > 0, largest / norm, 1.0)

    window = gaussian(WINDOW, 1.5)
    moments = _covariances([*sources, fused], window)
    joint = scale * sum(a[k] * moments[k, count] for k in range(count))
    ideal = scale**2 * sum(a[k] * a[m] * moments[min(k, m), max(k, m)] for k, m in pairs)
    c = (0.03 * 255) ** 2
    return float(((2 * joint + c) / (ideal + moments[count, count] + c)).mean())


def _covariances(images: list[np.ndarray], window: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
    """Local covariances of every two images, i <= j."""
    means = [filter_valid(image, window) for image in images]
    pairs = [(i, j) for i in range(len(images)) for j in range(i, len(images))]
    return {(i, j): filter_valid(images[i] * images[j], window) - means[i] * means[j] for i, j in pairs}
