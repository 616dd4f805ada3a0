"""The DCINN authors' own four metrics, faults included, to compare with the numbers that their scripts print.

They follow the authors' released code. Images are (H, W, B) in [0, 1] and are clamped to it. The differences from
`metrics.reference`: SSIM has the data range 2 (a default of scikit-image before 0.20). ERGAS has the ratio 4 for all
data and takes the mean of its SECOND argument, while their test scripts pass the reference first. SAM counts a black
pixel as 90 degrees and is not zero for equal images.
"""

import numpy as np
import skimage

from .checks import alike, sides


def psnr(fused: np.ndarray, reference: np.ndarray, *, dtype: type = np.float64) -> float:
    """Return the mean over the bands of 10 log10(1 / MSE), in dB.

    Args:
        fused, reference: (H, W, B) or (H, W), clamped to [0, 1].
        dtype: precision of the computation. Their scripts use np.float32, which changes about the fifth digit.

    Raises:
        ValueError: for unequal shapes, NaN or infinity.
    """
    f, g = _clamped(fused, reference, dtype)
    with np.errstate(divide="ignore"):
        return float((10 * np.log10(1 / np.square(f - g).mean(axis=(0, 1)))).mean())


def ergas(fused: np.ndarray, reference: np.ndarray, *, dtype: type = np.float64) -> float:
    """Return 100 / 4 sqrt(mean over bands of MSE / (mean(reference)^2 + 1e-6)), for every resolution ratio.

    Their training scripts call it in this order, their test scripts as ergas(reference, fused). Arguments and errors as
    for `psnr`.
    """
    f, g = _clamped(fused, reference, dtype)
    relative = np.square(f - g).mean(axis=(0, 1)) / (g.mean(axis=(0, 1)) ** 2 + 1e-6)
    return float(100 / 4 * np.sqrt(relative.mean()))


def sam(fused: np.ndarray, reference: np.ndarray, *, dtype: type = np.float64) -> float:
    """Return the mean angle in degrees over ALL pixels, with 1e-7 added to the product of norms and no clipping.

    For equal images it is some hundredths of a degree in float64; in float32 it is NaN as soon as one cosine exceeds 1.
    Arguments and errors as for `psnr`.
    """
    f, g = _clamped(fused, reference, dtype)
    norms = np.sqrt(np.square(f).sum(axis=2)) * np.sqrt(np.square(g).sum(axis=2))
    with np.errstate(invalid="ignore"):
        return float(np.degrees(np.arccos((f * g).sum(axis=2) / (norms + dtype(1e-7)))).mean())


def ssim(fused: np.ndarray, reference: np.ndarray, *, dtype: type = np.float64) -> float:
    """Return the SSIM of scikit-image (7x7 window), averaged over the bands, with data range 2.

    It is higher than with the images' own range, 1. Arguments and errors as for `psnr`; sides of at least 7.
    """
    f, g = _clamped(fused, reference, dtype)
    sides("ssim", g, 7)
    each = range(f.shape[2])
    return float(np.mean([skimage.metrics.structural_similarity(f[..., b], g[..., b], data_range=2) for b in each]))


def _clamped(fused: np.ndarray, reference: np.ndarray, dtype: type) -> list[np.ndarray]:
    return [np.clip(image, 0, 1).astype(dtype) for image in alike(fused=fused, reference=reference)]
