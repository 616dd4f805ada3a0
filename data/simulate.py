"""Simulation of low-resolution images from high-resolution ones by the field's protocols.

Pansharpening: Wald's protocol as in the DLPan-Toolbox (Deng et al., GRSM 2022), with Gaussian filters that have the
sensor's MTF gain at Nyquist, decimation, and 23-tap interpolation. Hyperspectral: a 3x3 Gaussian of sigma 0.5,
decimation, and the camera's spectral response. Images are (H, W) or (H, W, B) float64, neither rounded nor clipped.
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
    """Reduce a scene by Wald's protocol to 1 / ratio of its resolution, with its own MS as the reference.

    MS and pan are filtered by their sensor's MTF and decimated from index ratio / 2; lms is the 23-tap interpolation of
    the reduced MS. The toolbox can also resize the pan (bicubic, antialiased), which leaves the pan sharper than in the
    training data of the released WV3 network; data/README.md has the measured difference.

    Args:
        ms: (h, w, B), sides divisible by `ratio`.
        pan: (ratio h, ratio w).
        sensor: see `mtf_kernels`.
        ratio: resolution ratio, a power of two.
        pan_filter: "mtf" or "bicubic".

    Returns:
        A dictionary with gt (h, w, B), lms (h, w, B), ms (h / ratio, w / ratio, B) and pan (h, w), all float64 in the
        input's units.

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
    """Return a camera's spectral response, (31, 3) float64, 400 to 700 nm in steps of 10, columns summing to one.

    Args:
        name: only "d700", the Nikon D700 as stored in the released DCINN, with the columns blue, green, red.

    Raises:
        ValueError: for another name.
    """
    if name != "d700":
        raise ValueError(f"spectral response: found {name!r}, expected 'd700'")
    return np.loadtxt(Path(__file__).with_name("nikon_d700.csv"), delimiter=",")


def gaussian_kernel(size: int, sigma: float) -> np.ndarray:
    """Return a Gaussian kernel (size, size) float64 that sums to one; sigma in pixels."""
    distance = np.arange(size) - (size - 1) / 2
    weights = np.exp(-(distance**2) / (2 * sigma**2))
    return np.outer(weights, weights) / weights.sum() ** 2


def degrade_hsi(hsi: np.ndarray, ratio: int, *, size: int = 3, sigma: float = 0.5) -> np.ndarray:
    """Simulate a low-resolution hyperspectral image: Gaussian blur, then every ratio-th pixel from index ratio / 2.

    With the default kernel, bicubic upsampling has the PSNR of the published CAVE and Harvard tables (34.33 dB on CAVE
    x4). The text of the DCINN paper states size 8 and sigma 1, which does not fit its tables.

    Args:
        hsi: (H, W, B), sides divisible by `ratio`.
        ratio: resolution ratio; 4 or 8 in the tables.
        size: side of the kernel in pixels.
        sigma: standard deviation of the Gaussian in pixels.

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
