"""MEF-SSIM, a quality index of multi-exposure fusion (Ma, Zeng, Wang, TIP 2015); the DCINN paper prints it as MS-SSIM.

The index compares each patch of the fused image with an ideal patch, which has the strongest contrast of the source
patches and the weighted mean of their structures. We identified the paper's column by its values. Definitions follow
the widely used Matlab code.
"""

import numpy as np

from .checks import grays, sides
from .structure import MS_WEIGHTS, filter_valid, gaussian

SCALES = 3
WINDOW = 11
_PIXELS = WINDOW**2
_EPS = np.finfo(np.float64).eps


def mef_ssim(fused: np.ndarray, infrared: np.ndarray, visible: np.ndarray) -> float:
    """Return the structural similarity of the fused image to both sources together, over three scales, 0 to 1.

    It is symmetric in the sources. Papers of this field print it as MS-SSIM, but it is not the MS-SSIM of Wang et al.
    (`ms_ssim`): a fused image with 0.87 here has about 0.65 there.

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
    """Return every second of the 2x2 means, the border mirrored at the bottom and right."""
    wide = np.pad(image, ((0, 1), (0, 1)), mode="symmetric")
    return ((wide[:-1, :-1] + wide[1:, :-1] + wide[:-1, 1:] + wide[1:, 1:]) / 4)[::2, ::2]


def _quality(fused: np.ndarray, sources: list[np.ndarray]) -> float:
    """Return the mean similarity at one scale.

    The ideal patch is c * sum_k a_k (b_k - mean b_k), so its moments follow from those of the source patches b_k.
    """
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
    """Return the local covariances of every two images, (i, j) -> map, i <= j."""
    means = [filter_valid(image, window) for image in images]
    pairs = [(i, j) for i in range(len(images)) for j in range(i, len(images))]
    return {(i, j): filter_valid(images[i] * images[j], window) - means[i] * means[j] for i, j in pairs}
