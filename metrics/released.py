"""The DCINN authors' own four metrics, faults included, to compare with what their scripts print.

From their released code. Images are (H, W, B) in [0, 1] and are clamped to it. Their tables differ from
`metrics.reference` in the following: SSIM has the data range 2 (a default of scikit-image before 0.20), ERGAS has the
ratio 4 whatever the data and takes the mean of its SECOND argument (their test scripts pass the reference first), SAM
counts a black pixel as 90 degrees and is not zero for equal images.
"""

import numpy as np
import skimage

from .checks import alike, sides


def psnr(fused: np.ndarray, reference: np.ndarray, *, dtype: type = np.float64) -> float:
    """Mean over the bands of 10 log10(1 / MSE).

    Args:
        fused, reference: (H, W, B) or (H, W), clamped to [0, 1].
        dtype: np.float32 is what their scripts compute in; it changes about the fifth digit.

    Raises:
        ValueError: for unequal shapes, NaN or infinity.
    """
    f, g = _clamped(fused, reference, dtype)
    with np.errstate(divide="ignore"):
        return float((10 * np.log10(1 / np.square(f - g).mean(axis=(0, 1)))).mean())


def ergas(fused: np.ndarray, reference: np.ndarray, *, dtype: type = np.float64) -> float:
    """100 / 4 sqrt(mean over bands of MSE / (mean(reference)^2 + 1e-6)), for every ratio of resolutions.

    Their training scripts call it like this; their test scripts as ergas(reference, fused). Arguments as of `psnr`.
    """
    f, g = _clamped(fused, reference, dtype)
    relative = np.square(f - g).mean(axis=(0, 1)) / (g.mean(axis=(0, 1)) ** 2 + 1e-6)
    return float(100 / 4 * np.sqrt(relative.mean()))


def sam(fused: np.ndarray, reference: np.ndarray, *, dtype: type = np.float64) -> float:
    """Mean angle in degrees over ALL pixels, 1e-7 added to the product of norms, no clipping. Arguments as of `psnr`.

    Of equal images some hundredths of a degree in float64; in float32 NaN, as soon as one cosine exceeds 1.
    """
    f, g = _clamped(fused, reference, dtype)
    norms = np.sqrt(np.square(f).sum(axis=2)) * np.sqrt(np.square(g).sum(axis=2))
    with np.errstate(invalid="ignore"):
        return float(np.degrees(np.arccos((f * g).sum(axis=2) / (norms + dtype(1e-7)))).mean())


def ssim(fused: np.ndarray, reference: np.ndarray, *, dtype: type = np.float64) -> float:
    """Mean over the bands, scikit-image's 7x7 window, data range 2: higher than with the range of the images.

    Arguments as of `psnr`; sides of at least 7.
    """
    f, g = _clamped(fused, reference, dtype)
    sides("ssim", g, 7)
    each = range(f.shape[2])
    return float(np.mean([skimage.metrics.structural_similarity(f[..., b], g[..., b], data_range=2) for b in each]))


def _clamped(fused: np.ndarray, reference: np.ndarray, dtype: type) -> list[np.ndarray]:
    return [np.clip(image, 0, 1).astype(dtype) for image in alike(fused=fused, reference=reference)]
