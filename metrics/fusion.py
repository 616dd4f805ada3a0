"""Metrics of a fused image by itself: (H, W) on 0..255, as the CDDFuse evaluator and the DCINN paper compute them."""

import numpy as np


def _gray(fused: np.ndarray) -> np.ndarray:
    fused = np.asarray(fused, np.float64)
    if fused.ndim != 2 or not fused.size:
        raise ValueError(f"fused: found shape {fused.shape}, expected (H, W)")
    if not np.isfinite(fused).all() or fused.min() < 0 or fused.max() > 255:
        raise ValueError(f"fused: found values from {fused.min():g} to {fused.max():g}, expected 0 to 255")
    return fused


def en(fused: np.ndarray) -> float:
    """Entropy in bits of the histogram of whole gray values (rounded half to even)."""
    counts = np.bincount(np.rint(_gray(fused)).astype(int).ravel(), minlength=256)
    p = counts[counts > 0] / counts.sum()
    return float((p * np.log2(1 / p)).sum())


def sd(fused: np.ndarray) -> float:
    """Standard deviation over the pixels (population), in gray values."""
    return float(_gray(fused).std())


def sd_unnormalised(fused: np.ndarray) -> float:
    """The DCINN paper's "SD": sqrt of the SUM of squared deviations, on [0, 1]. It grows with the image."""
    x = _gray(fused) / 255
    return float(np.sqrt(np.square(x - x.mean()).sum()))


def sf(fused: np.ndarray) -> float:
    """Spatial frequency: sqrt of the mean squared horizontal plus the mean squared vertical first difference."""
    x = _gray(fused)
    across = np.square(np.diff(x, axis=1)).mean() if x.shape[1] > 1 else 0.0
    down = np.square(np.diff(x, axis=0)).mean() if x.shape[0] > 1 else 0.0
    return float(np.sqrt(across + down))


def ag(fused: np.ndarray) -> float:
    """Average gradient: mean of sqrt((Gx^2 + Gy^2) / 2), central differences, one-sided at the borders.

    Raises:
        ValueError: for sides under 2.
    """
    x = _gray(fused)
    if min(x.shape) < 2:
        raise ValueError(f"ag: found {x.shape[0]}x{x.shape[1]} pixels, expected sides of at least 2")
    gy, gx = np.gradient(x)
    return float(np.sqrt((gx**2 + gy**2) / 2).mean())
