"""Full-resolution indices of pansharpening, as the DLPan-Toolbox computes them. Arrays in digital numbers."""

import numpy as np

from data.simulate import imresize, interp23

BLOCK = 32


def block_uqi(x: np.ndarray, y: np.ndarray) -> float:
    """Universal quality index (Wang and Bovik, 2002) of two (H, W) images, mean over whole 32x32 blocks.

    Raises:
        ValueError: for unequal shapes or sides that are no multiples of 32.
    """
    if x.shape != y.shape or x.ndim != 2 or not x.size or any(s % BLOCK for s in x.shape):
        raise ValueError(f"uqi: found shapes {x.shape} and {y.shape}, expected equal ones of whole 32x32 blocks")

    def blocks(image: np.ndarray) -> np.ndarray:
        h, w = (s // BLOCK for s in image.shape)
        return image.reshape(h, BLOCK, w, BLOCK).swapaxes(1, 2).reshape(h * w, -1).astype(np.float64)

    a, b = blocks(x), blocks(y)
    mean_a, mean_b = a.mean(axis=1), b.mean(axis=1)
    covariance = ((a - mean_a[:, None]) * (b - mean_b[:, None])).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        q = 4 * covariance * mean_a * mean_b / ((a.var(axis=1) + b.var(axis=1)) * (mean_a**2 + mean_b**2))
    return float(q.mean())


def d_lambda(fused: np.ndarray, lms: np.ndarray) -> float:
    """Spectral distortion: mean over pairs of bands of |Q(fused_i, fused_j) - Q(lms_i, lms_j)|.

    Args:
        fused: (H, W, B), sides multiples of 32.
        lms: (H, W, B), the MS interpolated to the pan's size.
    """
    bands = fused.shape[2]
    pairs = [(i, j) for i in range(bands) for j in range(i + 1, bands)]
    changes = [abs(block_uqi(fused[..., i], fused[..., j]) - block_uqi(lms[..., i], lms[..., j])) for i, j in pairs]
    return float(np.mean(changes))


def d_s(fused: np.ndarray, lms: np.ndarray, pan: np.ndarray, *, ratio: int = 4) -> float:
    """Spatial distortion: mean over bands of |Q(fused_i, pan) - Q(lms_i, low-resolution pan)|.

    Args:
        fused, lms: (H, W, B), sides multiples of 32.
        pan: (H, W); its low-resolution version is its bicubic reduction, interpolated back with 23 taps.
        ratio: of the resolutions.
    """
    low = interp23(imresize(pan, 1 / ratio), ratio)
    changes = [abs(block_uqi(fused[..., b], pan) - block_uqi(lms[..., b], low)) for b in range(fused.shape[2])]
    return float(np.mean(changes))


def qnr(fused: np.ndarray, lms: np.ndarray, pan: np.ndarray, *, ratio: int = 4) -> float:
    """Quality with no reference: (1 - d_lambda)(1 - d_s). Arguments as of `d_s`."""
    return (1 - d_lambda(fused, lms)) * (1 - d_s(fused, lms, pan, ratio=ratio))
