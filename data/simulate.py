"""Making low-resolution images from high-resolution ones, as the field's protocols do.

Pansharpening: Wald's protocol of the DLPan-Toolbox (Deng et al., GRSM 2022): Gaussian filters with the sensor's MTF
gain at Nyquist, decimation, 23-tap interpolation. Hyperspectral: 3x3 Gaussian of sigma 0.5 and decimation, the
camera's spectral response. Images are (H, W) or (H, W, B) float64; nothing here rounds or clips.
"""

from pathlib import Path

import numpy as np
import scipy

from metrics.filters import imresize, interp23, mtf_filter, mtf_filter_pan, mtf_kernels

__all__ = [
    "degrade_hsi",
    "gaussian_kernel",
    "imresize",
    "interp23",
    "mtf_filter",
    "mtf_filter_pan",
    "mtf_kernels",
    "spectral_response",
    "wald",
]
PAN_FILTERS = ("mtf", "bicubic")


def wald(
    ms: np.ndarray, pan: np.ndarray, *, sensor: str, ratio: int = 4, pan_filter: str = "mtf"
) -> dict[str, np.ndarray]:
    """Wald's protocol: a scene at 1 / ratio of its resolution, its own MS the reference.

    MS and pan go through their sensor's MTF and are decimated from index ratio / 2; lms is the 23-tap interpolation of
    the reduced MS. The toolbox can also resize the pan (bicubic, antialiased), which leaves it sharper than the images
    that the released WV3 network was trained on; data/README.md has the measured difference.

    Args:
        ms: (h, w, B), sides divisible by `ratio`.
        pan: (ratio h, ratio w).
        sensor: see `mtf_kernels`.
        ratio: a power of two.
        pan_filter: "mtf" or "bicubic".

    Returns:
        gt (h, w, B), lms (h, w, B), ms (h / ratio, w / ratio, B), pan (h, w), all float64 in the input's units.

    Raises:
        ValueError: for sides that do not fit, and another pan_filter.
    """
    h, w, _ = ms.shape
    if pan.shape != (h * ratio, w * ratio):
        raise ValueError(f"wald: found pan {pan.shape} with ms {ms.shape}, expected {(h * ratio, w * ratio)}")
    if h % ratio or w % ratio:
        raise ValueError(f"wald: found ms of {h}x{w} pixels, expected sides divisible by {ratio}")
    if pan_filter not in PAN_FILTERS:
        raise ValueError(f"wald: found pan_filter {pan_filter!r}, expected one of {', '.join(PAN_FILTERS)}")
    start = ratio // 2
    low = mtf_filter(ms, sensor, ratio)[start::ratio, start::ratio]
    if pan_filter == "mtf":
        low_pan = mtf_filter_pan(pan, sensor, ratio)[start::ratio, start::ratio]
    else:
        low_pan = imresize(pan, 1 / ratio)
    return {"gt": np.asarray(ms, np.float64), "lms": interp23(low, ratio), "ms": low, "pan": low_pan}


def spectral_response(name: str = "d700") -> np.ndarray:
    """The spectral response of a camera, (31, 3) float64, 400 to 700 nm in steps of 10, columns summing to one.

    "d700" is the Nikon D700 as the released DCINN holds it; its columns are blue, green, red in this order.
    """
    if name != "d700":
        raise ValueError(f"spectral response: found {name!r}, expected 'd700'")
    return np.loadtxt(Path(__file__).with_name("nikon_d700.csv"), delimiter=",")


def gaussian_kernel(size: int, sigma: float) -> np.ndarray:
    """(size, size), sum one."""
    distance = np.arange(size) - (size - 1) / 2
    weights = np.exp(-(distance**2) / (2 * sigma**2))
    return np.outer(weights, weights) / weights.sum() ** 2


def degrade_hsi(hsi: np.ndarray, ratio: int, *, size: int = 3, sigma: float = 0.5) -> np.ndarray:
    """A low-resolution hyperspectral image: Gaussian blur, then every ratio-th pixel from index ratio / 2.

    The default kernel is that of the published CAVE and Harvard tables (found by the bicubic row: 34.33 dB on CAVE
    x4, as published); the DCINN paper's text says size 8 and sigma 1, which does not fit its tables.

    Args:
        hsi: (H, W, B), sides divisible by `ratio`.
        ratio: 4 or 8 in the tables.

    Returns:
        (H / ratio, W / ratio, B) float64.

    Raises:
        ValueError: for sides that do not fit.
    """
    if hsi.shape[0] % ratio or hsi.shape[1] % ratio:
        raise ValueError(
            f"degrade_hsi: found {hsi.shape[0]}x{hsi.shape[1]} pixels, expected sides divisible by {ratio}"
        )
    kernel = gaussian_kernel(size, sigma)[..., None]
    blurred = scipy.ndimage.correlate(np.asarray(hsi, np.float64), kernel, mode="nearest")
    return blurred[ratio // 2 :: ratio, ratio // 2 :: ratio]
