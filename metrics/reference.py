"""Metrics against a reference image. Images are (H, W, B) or (H, W), computed in float64, the fused image first.

Definitions: DLPan-Toolbox (Vivone et al., GRSM 2015; Deng et al., GRSM 2022), checked against it to 1e-9. PSNR and
SSIM are means over the bands. The toolbox's tables cut the border first, see `cut_border`.
"""

import numpy as np
import scipy
import skimage
from numpy.lib.stride_tricks import sliding_window_view

from .checks import alike, sides

WINDOW = 32
BORDER = 21  # the toolbox's dim_cut
_SOBEL = np.array([[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]])


def cut_border(image: np.ndarray, border: int = BORDER) -> np.ndarray:
    """Return the part of an image that the toolbox's reduced-resolution tables use.

    Each axis loses `border` - 1 pixels at its start and `border` at its end: 256 pixels become 215.

    Args:
        image: (H, W) or (H, W, B).
        border: 1 or more; 21 in the toolbox.

    Raises:
        ValueError: if a side is under 2 `border` pixels, or the border under 1.
    """
    if border < 1:
        raise ValueError(f"cut_border: found a border of {border}, expected 1 or more")
    if min(np.shape(image)[:2]) < 2 * border:
        h, w = np.shape(image)[:2]
        raise ValueError(f"cut_border: found {h}x{w} pixels, expected sides of at least {2 * border}")
    inside = slice(border - 1, -border)
    return np.asarray(image)[inside, inside]


def psnr(fused: np.ndarray, reference: np.ndarray, *, peak: float = 1.0) -> float:
    """Return the peak signal-to-noise ratio in dB, averaged over the bands; infinite if a band equals the reference.

    Args:
        fused, reference: (H, W, B) or (H, W), the reference within 0 and `peak`.
        peak: the largest possible value.

    Raises:
        ValueError: for unequal shapes, NaN or infinity, a reference outside 0..peak, a fused image in another unit.

    Example:
        >>> psnr(np.full((4, 4), 0.4), np.full((4, 4), 0.5))
        20.0
    """
    f, g = alike(fused=fused, reference=reference)
    _in_range(f, g, peak, "peak")
    error = np.square(f - g).mean(axis=(0, 1))
    with np.errstate(divide="ignore"):
        return float((10 * np.log10(peak**2 / error)).mean())


def ssim(fused: np.ndarray, reference: np.ndarray, *, data_range: float = 1.0) -> float:
    """Return the structural similarity (Wang et al., 2004), averaged over the bands, -1 to 1.

    It is computed by scikit-image with the 7x7 uniform window.

    Args:
        fused, reference: (H, W, B) or (H, W), the reference within 0 and `data_range`, sides of at least 7.
        data_range: the largest possible value, L in the constants (0.01 L)^2 and (0.03 L)^2. The DCINN authors use 2
            for images in [0, 1] (`released.ssim`).

    Raises:
        ValueError: for unequal shapes, sides under 7, NaN or infinity, a reference outside 0..data_range, a fused image
            in another unit.

    Example:
        >>> image = np.linspace(0, 1, 64).reshape(8, 8)
        >>> ssim(image, image)
        1.0
    """
    f, g = alike(fused=fused, reference=reference)
    sides("ssim", g, 7)
    _in_range(f, g, data_range, "data_range")
    each = range(f.shape[2])
    return float(
        np.mean([skimage.metrics.structural_similarity(f[..., b], g[..., b], data_range=data_range) for b in each])
    )


def sam(fused: np.ndarray, reference: np.ndarray) -> float:
    """Return the mean spectral angle in degrees, 0 to 180, over the pixels where neither spectrum is zero.

    NaN if there is no such pixel.

    Args:
        fused, reference: (H, W, B), any unit.

    Raises:
        ValueError: for unequal shapes, NaN or infinity.

    Example:
        >>> round(sam(np.array([[[1.0, 0.0]]]), np.array([[[1.0, 1.0]]])), 6)
        45.0
    """
    angles = spectral_angles(fused, reference)
    known = ~np.isnan(angles)
    return float(angles[known].mean()) if known.any() else float("nan")


def spectral_angles(fused: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the spectral angle of each pixel, (H, W), in degrees; NaN where a spectrum is zero. See `sam`."""
    f, g = alike(fused=fused, reference=reference)
    norms = np.sqrt((f * f).sum(axis=2) * (g * g).sum(axis=2))
    angles, known = np.full(norms.shape, np.nan), norms > 0
    cosine = (f * g).sum(axis=2)[known] / norms[known]
    angles[known] = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return angles


def ergas(fused: np.ndarray, reference: np.ndarray, *, ratio: float) -> float:
    """Return the relative global error (Wald, 2000): 100 / ratio * sqrt(mean over bands of MSE / mean(reference)^2).

    It is 0 or more, lower is better, and not symmetric.

    Args:
        fused, reference: (H, W, B) or (H, W), any unit.
        ratio: resolution ratio (4, 8, ...). The released DCINN code uses 4 for every data set (`released.ergas`).

    Raises:
        ValueError: for unequal shapes, NaN or infinity, a ratio that is not positive.

    Example:
        >>> round(ergas(np.full((2, 2), 1.1), np.ones((2, 2)), ratio=4), 6)
        2.5
    """
    f, g = alike(fused=fused, reference=reference)
    if not 0 < ratio < np.inf:
        raise ValueError(f"ergas: found ratio {ratio}, expected a positive one")
    error = np.square(f - g).mean(axis=(0, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(error == 0, 0.0, error / g.mean(axis=(0, 1)) ** 2)
    return float(100 / ratio * np.sqrt(relative.mean()))


def uqi(fused: np.ndarray, reference: np.ndarray) -> float:
    """Return the universal quality index (Wang and Bovik, 2002), averaged over all 32x32 windows and bands, -1 to 1.

    If both windows are constant, only the luminance term counts (1 if both are zero), as in the toolbox.

    Args:
        fused, reference: (H, W, B) or (H, W), sides of at least 32, any unit.

    Raises:
        ValueError: for unequal shapes, sides under 32, NaN or infinity.

    Example:
        >>> image = np.arange(1600.0).reshape(40, 40)
        >>> uqi(image, image)
        1.0
    """
    f, g = alike(fused=fused, reference=reference)
    sides("uqi", g, WINDOW)
    return float(np.mean([_uqi_map(f[..., b], g[..., b]).mean() for b in range(f.shape[2])]))


def scc(fused: np.ndarray, reference: np.ndarray) -> float:
    """Return the toolbox's spatial correlation: the cosine between the Sobel gradient magnitudes of the images, 0 to 1.

    A border of one pixel is cut, no mean is removed, and all bands form one vector. Pixels outside count as zero, so a
    constant image has gradients along its border. The result is NaN for an image of zeros.

    Args:
        fused, reference: (H, W, B) or (H, W), sides of at least 3, any unit.

    Raises:
        ValueError: for unequal shapes, sides under 3, NaN or infinity.

    Example:
        >>> image = np.arange(25.0).reshape(5, 5)
        >>> round(scc(2 * image, image), 6)
        1.0
    """
    f, g = alike(fused=fused, reference=reference)
    sides("scc", g, 3)
    f, g = (_sobel_magnitude(x[1:-1, 1:-1]) for x in (f, g))
    with np.errstate(invalid="ignore"):
        return float((f * g).sum() / np.sqrt(np.square(f).sum() * np.square(g).sum()))


def _in_range(fused: np.ndarray, reference: np.ndarray, most: float, option: str) -> None:
    """Raise ValueError unless the reference lies within 0..most and the fused image is of the same order."""
    if not 0 < most < np.inf:
        raise ValueError(f"{option}: found {most}, expected the largest possible value")
    least, largest = reference.min(), reference.max()
    if least < -1e-3 * most or largest > most * (1 + 1e-3):  # half a digital number is rounding
        raise ValueError(
            f"reference: found values from {least:g} to {largest:g}, expected 0 to {most:g}, or another {option}="
        )
    if most >= 255 and 0 < largest <= 1 and np.any(reference % 1):
        raise ValueError(f"reference: found values up to {largest:g}, expected up to {most:g}, or another {option}=")
    if not -most <= fused.mean() <= 2 * most:
        found = f"values from {fused.min():g} to {fused.max():g}"
        raise ValueError(f"fused: found {found}, expected the unit of the reference, 0 to {most:g}")


def _uqi_map(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the index of every window, (H - 31, W - 31), of two images (H, W)."""
    n = WINDOW**2
    sum_x, sum_y, sum_xx, sum_yy, sum_xy = (_window_sums(v) for v in (x, y, x * x, y * y, x * y))
    level = sum_x**2 + sum_y**2
    spread = n * (sum_xx + sum_yy) - level
    spread[_flat(x) & _flat(y)] = 0.0  # exactly 0, whatever the rounding of the sums
    with np.errstate(divide="ignore", invalid="ignore"):
        q = 4 * (n * sum_xy - sum_x * sum_y) * sum_x * sum_y / (spread * level)
        luminance = 2 * sum_x * sum_y / level
    return np.where(level == 0, 1.0, np.where(spread == 0, luminance, q))


def _window_sums(image: np.ndarray) -> np.ndarray:
    rows = sliding_window_view(image, WINDOW, axis=0).sum(axis=-1)
    return sliding_window_view(rows, WINDOW, axis=1).sum(axis=-1)


def _flat(image: np.ndarray) -> np.ndarray:
    """Return which windows are constant, (H - 31, W - 31) boolean."""
    inside = (
        slice(WINDOW // 2, image.shape[0] - WINDOW // 2 + 1),
        slice(WINDOW // 2, image.shape[1] - WINDOW // 2 + 1),
    )
    return (scipy.ndimage.maximum_filter(image, WINDOW) == scipy.ndimage.minimum_filter(image, WINDOW))[inside]


def _sobel_magnitude(image: np.ndarray) -> np.ndarray:
    down = scipy.ndimage.correlate(image, _SOBEL[..., None], mode="constant")
    across = scipy.ndimage.correlate(image, _SOBEL.T[..., None], mode="constant")
    return np.hypot(down, across)
