"""Metrics against a reference image. Arrays are (H, W, B) or (H, W), float64 inside, any unit the peak agrees with.

Definitions: DLPan-Toolbox (Deng et al., GRSM 2022) for SAM and ERGAS; PSNR and SSIM are means over the bands.
"""

import numpy as np
from skimage.metrics import structural_similarity


def _pair(fused: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as (H, W, B) float64 of one shape, finite."""
    arrays = []
    for name, given in (("fused", fused), ("reference", reference)):
        image = np.asarray(given, np.float64)
        if image.ndim not in (2, 3) or not image.size:
            raise ValueError(f"{name}: found shape {image.shape}, expected (H, W) or (H, W, B)")
        if not np.isfinite(image).all():
            raise ValueError(f"{name}: found NaN or infinity, expected finite values")
        arrays.append(image[..., None] if image.ndim == 2 else image)
    if arrays[0].shape != arrays[1].shape:
        raise ValueError(f"fused: found shape {np.shape(fused)}, expected that of the reference, {np.shape(reference)}")
    return arrays[0], arrays[1]


def psnr(fused: np.ndarray, reference: np.ndarray, *, peak: float = 1.0) -> float:
    """Peak signal-to-noise ratio in dB: the mean of the bands' values; infinite where a band is equal.

    Args:
        fused, reference: (H, W, B) or (H, W).
        peak: the largest possible value.

    Raises:
        ValueError: for unequal shapes, NaN or infinity.
    """
    f, g = _pair(fused, reference)
    error = np.square(f - g).mean(axis=(0, 1))
    with np.errstate(divide="ignore"):
        return float((10 * np.log10(peak**2 / error)).mean())


def ssim(fused: np.ndarray, reference: np.ndarray, *, data_range: float = 1.0) -> float:
    """Structural similarity (Wang et al., 2004), scikit-image's 7x7 uniform window, mean over the bands.

    Args:
        fused, reference: (H, W, B) or (H, W), sides of at least 7.
        data_range: L in the constants (0.01 L)^2 and (0.03 L)^2. The DCINN authors' numbers have 2.

    Raises:
        ValueError: for unequal shapes, sides under 7, NaN or infinity.
    """
    f, g = _pair(fused, reference)
    if min(f.shape[:2]) < 7:
        raise ValueError(f"ssim: found {f.shape[0]}x{f.shape[1]} pixels, expected sides of at least 7")
    bands = range(f.shape[2])
    return float(np.mean([structural_similarity(f[..., b], g[..., b], data_range=data_range) for b in bands]))


def sam(fused: np.ndarray, reference: np.ndarray) -> float:
    """Spectral angle in degrees, mean over the pixels where neither spectrum is zero (zero if there is none).

    Raises:
        ValueError: for unequal shapes, NaN or infinity.
    """
    f, g = _pair(fused, reference)
    norms = np.sqrt((f * f).sum(axis=2) * (g * g).sum(axis=2))
    known = norms > 0
    cosine = (f * g).sum(axis=2)[known] / norms[known]
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean()) if known.any() else 0.0


def ergas(fused: np.ndarray, reference: np.ndarray, *, ratio: float) -> float:
    """Relative global error: 100 / ratio * sqrt(mean over bands of MSE / mean(reference)^2).

    Args:
        fused, reference: (H, W, B) or (H, W).
        ratio: of the resolutions (4, 8, ...). The released DCINN code has 4 for every data set.

    Raises:
        ValueError: for unequal shapes, NaN or infinity.
    """
    f, g = _pair(fused, reference)
    error = np.square(f - g).mean(axis=(0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(error == 0, 0.0, error / g.mean(axis=(0, 1)) ** 2)
    return float(100 / ratio * np.sqrt(relative.mean()))
