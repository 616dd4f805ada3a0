"""Structural metrics of infrared-visible fusion: VIF, Qabf, SSIM and MS-SSIM. Gray images (H, W) on 0..255.

Definitions: the evaluator of CDDFuse (Zhao et al., CVPR 2023) for viff, qabf and ssim_sum, checked against it. The
column "MS-SSIM" of the DCINN paper is another metric: `mef_ssim_index.mef_ssim`.
"""

import numpy as np
import scipy
import skimage

from .checks import grays, sides

MS_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
MS_CONVENTIONS = ("pytorch-msssim", "torchmetrics")


def viff(fused: np.ndarray, infrared: np.ndarray, visible: np.ndarray) -> float:
    """Return the visual information fidelity to each source, summed; 0 or more, higher is better.

    It is the pixel-domain form with four scales (Sheikh and Bovik, 2006). A constant source holds no information: the
    result is NaN, where CDDFuse's evaluator counts such a source as 1.

    Args:
        fused, infrared, visible: (H, W), 0 to 255, sides of at least 42.

    Raises:
        ValueError: for unequal shapes, another rank, small sides, NaN, values outside 0..255 or in [0, 1].
    """
    f, a, b = grays(fused, infrared, visible)
    sides("viff", f, 42)
    return _vif(a, f) + _vif(b, f)


def qabf(fused: np.ndarray, infrared: np.ndarray, visible: np.ndarray, *, corrected: bool = False) -> float:
    """Return the fraction of the sources' edge information in the fused image (Xydeas and Petrovic, 2000), 0 to 1.

    Args:
        fused, infrared, visible: (H, W), 0 to 255.
        corrected: compute it as in the paper of 2000. By default it is computed as in CDDFuse's evaluator and the
            published tables, which differ from the paper in two ways: edges at +89 and -89 degrees count as opposite,
            and if two gradients are equal, their value takes the place of their ratio, 1. The corrected form is 0.01 to
            0.04 higher.

    Returns:
        The fraction; NaN if both sources are black.

    Raises:
        ValueError: for unequal shapes, another rank, NaN, values outside 0..255 or in [0, 1].
    """
    f, a, b = grays(fused, infrared, visible)
    strength_f, angle_f = _edges(f)
    kept = total = 0.0
    for source in (a, b):
        strength, angle = _edges(source)
        weaker, stronger = np.minimum(strength, strength_f), np.maximum(strength, strength_f)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(strength == strength_f, 1.0 if corrected else strength_f, weaker / stronger)
        turn = np.abs(angle - angle_f) / (np.pi / 2)
        same = np.abs(turn - 1) if corrected else 1 - turn
        quality = 0.9994 / (1 + np.exp(-15 * (ratio - 0.5))) * (0.9879 / (1 + np.exp(-22 * (same - 0.8))))
        kept, total = kept + (quality * strength).sum(), total + strength.sum()
    return float(kept / total) if total > 0 else float("nan")


def ssim_sum(fused: np.ndarray, infrared: np.ndarray, visible: np.ndarray, *, data_range: float = 2) -> float:
    """Return the sum of the SSIM to each source (scikit-image's, 7x7 window), -2 to 2.

    Args:
        fused, infrared, visible: (H, W), 0 to 255, sides of at least 7.
        data_range: the published tables of the CDDFuse protocol were computed with 2, a default of old scikit-image for
            floats. The true range of the images is 255; a result of 1.0 with 2 is about 1.4 with 255.

    Raises:
        ValueError: for unequal shapes, another rank, small sides, NaN, values outside 0..255 or in [0, 1].

    Example:
        >>> image = np.arange(64).reshape(8, 8)
        >>> ssim_sum(image, image, image)
        2.0
    """
    f, a, b = grays(fused, infrared, visible)
    sides("ssim_sum", f, 7)
    if not data_range > 0:
        raise ValueError(f"data_range: found {data_range}, expected a number over 0")
    return float(sum(skimage.metrics.structural_similarity(f, source, data_range=data_range) for source in (a, b)))


def ms_ssim(
    fused: np.ndarray, infrared: np.ndarray, visible: np.ndarray, *, convention: str = "pytorch-msssim"
) -> float:
    """Return the MEAN over the sources of multi-scale SSIM (Wang, Simoncelli and Bovik, 2003), five scales, 0 to 1.

    The column that the DCINN paper prints as MS-SSIM is another metric, `mef_ssim`.

    Args:
        fused, infrared, visible: (H, W), 0 to 255, sides of at least 161.
        convention: the handling of borders, in which two common packages differ, with results up to 0.05 apart.
            "pytorch-msssim" (1.0.0) adds a row of zeros at both ends of an odd side before halving it. "torchmetrics"
            (1.9.0) drops the last row, and mirrors the border at the coarsest scale.

    Raises:
        ValueError: for unequal shapes, another rank, small sides, NaN, values outside 0..255 or in [0, 1], another
            convention.
    """
    f, a, b = grays(fused, infrared, visible)
    sides("ms_ssim", f, 161)
    if convention not in MS_CONVENTIONS:
        raise ValueError(f"ms_ssim: found convention {convention!r}, expected one of {', '.join(MS_CONVENTIONS)}")
    return (_ms_ssim(f, a, convention) + _ms_ssim(f, b, convention)) / 2


def gaussian(size: int, sigma: float) -> np.ndarray:
    """Return the weights of a Gaussian window, (size,), that sum to one."""
    distance = np.arange(size) - (size - 1) / 2
    weights = np.exp(-(distance**2) / (2 * sigma**2))
    return weights / weights.sum()


def filter_valid(image: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return an image (H, W) filtered along both axes by n symmetric weights, n odd, at the positions of whole windows.

    The result is (H - n + 1, W - n + 1).
    """
    margin = len(weights) // 2
    down = scipy.ndimage.correlate1d(image, weights, axis=0)[margin : image.shape[0] - margin]
    return scipy.ndimage.correlate1d(down, weights, axis=1)[:, margin : image.shape[1] - margin]


def _vif(reference: np.ndarray, distorted: np.ndarray) -> float:
    if reference.max() == reference.min():  # a constant image holds no information
        return float("nan")
    information = capacity = 0.0
    for scale in range(1, 5):
        size = 2 ** (5 - scale) + 1
        window = gaussian(size, size / 5)
        if scale > 1:
            reference, distorted = (filter_valid(x, window)[::2, ::2] for x in (reference, distorted))
        mean_r, mean_d = filter_valid(reference, window), filter_valid(distorted, window)
        var_r = np.maximum(filter_valid(reference**2, window) - mean_r**2, 0)
        var_d = np.maximum(filter_valid(distorted**2, window) - mean_d**2, 0)
        covariance = filter_valid(reference * distorted, window) - mean_r * mean_d
        gain = covariance / (var_r + 1e-10)
        noise = var_d - gain * covariance
        flat = var_r < 1e-10
        gain[flat], noise[flat], var_r[flat] = 0, var_d[flat], 0
        flat = var_d < 1e-10
        gain[flat], noise[flat] = 0, 0
        against = gain < 0
        noise[against], gain[against] = var_d[against], 0
        noise = np.maximum(noise, 1e-10)
        information += np.log10(1 + gain**2 * var_r / (noise + 2)).sum()
        capacity += np.log10(1 + var_r / 2).sum()
    return float(information / capacity)


def _edges(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return strength and angle, -pi/2 to pi/2, of the Sobel gradient, each (H, W); true convolution, zeros outside."""
    kernel = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    gx = scipy.ndimage.convolve(image, kernel, mode="constant")
    gy = scipy.ndimage.convolve(image, -kernel.T, mode="constant")
    with np.errstate(divide="ignore", invalid="ignore"):
        angle = np.where(gx == 0, np.pi / 2, np.arctan(gy / gx))
    return np.sqrt(gx * gx + gy * gy), angle  # unlike hypot, equal for equal squares


def _ms_ssim(x: np.ndarray, y: np.ndarray, convention: str) -> float:
    window = gaussian(11, 1.5)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    result = 1.0
    for scale, weight in enumerate(MS_WEIGHTS):
        last = scale == len(MS_WEIGHTS) - 1
        if scale:
            x, y = _halved(x, convention), _halved(y, convention)
        if last and convention == "torchmetrics":
            x, y = (np.pad(image, len(window) // 2, mode="reflect") for image in (x, y))
        mean_x, mean_y = filter_valid(x, window), filter_valid(y, window)
        var_x, var_y = filter_valid(x * x, window) - mean_x**2, filter_valid(y * y, window) - mean_y**2
        value = (2 * (filter_valid(x * y, window) - mean_x * mean_y) + c2) / (var_x + var_y + c2)
        if last:
            value = value * (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
        result *= max(value.mean(), 0.0) ** weight
    return float(result)


def _halved(image: np.ndarray, convention: str) -> np.ndarray:
    """Return means of 2x2 pixels, odd sides by the convention."""
    if convention == "pytorch-msssim":
        image = np.pad(image, [(side % 2, side % 2) for side in image.shape])
    h, w = (side // 2 for side in image.shape)
    return image[: 2 * h, : 2 * w].reshape(h, 2, w, 2).mean(axis=(1, 3))
