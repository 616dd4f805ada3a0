"""Making low-resolution images from high-resolution ones, as the field's protocols do.

Pansharpening: Wald's protocol of the DLPan-Toolbox (Deng et al., GRSM 2022): Gaussian filters with the sensor's MTF
gain at Nyquist, decimation, 23-tap interpolation. Hyperspectral: 3x3 Gaussian of sigma 0.5 and decimation, the
camera's spectral response. Images are (H, W) or (H, W, B) float64; nothing here rounds or clips.
"""

from functools import cache
from pathlib import Path

import numpy as np
from scipy import ndimage, signal

from data.sensors import OTHER_GAIN, ms_gains, pan_gain

MTF_SIZE = 41
PAN_FILTERS = ("mtf", "bicubic")
_INNER = (0.5, 0.305334091185, 0.0, -0.072698593239, 0.0, 0.021809577942, 0.0, -0.005192756653, 0.0, 0.000807762146)
_TAPS = (*_INNER, 0.0, -0.000060081482)
INTERP23 = 2 * np.array(_TAPS[:0:-1] + _TAPS)


@cache
def _mtf_kernel(gain: float, ratio: int) -> np.ndarray:
    """(41, 41): a Gaussian of this gain at the low-resolution image's Nyquist frequency, Kaiser window, beta 0.5."""
    u = np.arange(MTF_SIZE) - MTF_SIZE // 2
    rho = np.hypot(u[:, None], u)
    window = np.interp(rho, np.arange(21), np.kaiser(MTF_SIZE, 0.5)[20:], right=0.0)
    sigma = np.sqrt(((MTF_SIZE - 1) / (2 * ratio)) ** 2 / (-2 * np.log(gain)))
    response = np.exp(-(rho**2) / (2 * sigma**2))
    return np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(response)).real) * window


def mtf_kernels(sensor: str, bands: int, ratio: int = 4) -> np.ndarray:
    """Low-pass kernels with the MS sensor's MTF, (bands, 41, 41) float64; their sums are a little under one.

    Args:
        sensor: "WV2", "WV3", "WV4", "QB", "IKONOS", "GeoEye1", or gains, see `sensors`; any other name has the gain 0.3
            in every band.
        bands: bands of the image; must be those of a known sensor.
        ratio: scale between the two resolutions.

    Raises:
        ValueError: where the sensor has another number of bands.
    """
    gains = ms_gains(sensor) or (OTHER_GAIN,) * bands
    if len(gains) != bands:
        raise ValueError(f"sensor {sensor}: found an image of {bands} bands, expected {len(gains)}")
    return np.stack([_mtf_kernel(gain, ratio) for gain in gains])


def _filtered(image: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """(H, W, B) correlated band by band with (B, 41, 41), borders replicated."""
    margin = MTF_SIZE // 2
    wide = np.pad(np.asarray(image, np.float64), ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    # The kernels are symmetric, so convolution is correlation; by FFT because they are large.
    return signal.fftconvolve(wide, np.moveaxis(kernels, 0, -1), mode="valid", axes=(0, 1))


def mtf_filter(image: np.ndarray, sensor: str, ratio: int = 4) -> np.ndarray:
    """MS (H, W, B) through `mtf_kernels`, borders replicated; float64."""
    return _filtered(image, mtf_kernels(sensor, image.shape[2], ratio))


def mtf_filter_pan(pan: np.ndarray, sensor: str, ratio: int = 4) -> np.ndarray:
    """Pan (H, W) through the Gaussian of the pan sensor's gain (0.15 for unknown sensors), borders replicated."""
    kernel = _mtf_kernel(pan_gain(sensor), ratio)
    return _filtered(pan[..., None], kernel[None])[..., 0]


def interp23(image: np.ndarray, ratio: int = 4) -> np.ndarray:
    """Upsampling by a power of two with the toolbox's 23-tap filter, borders circular.

    Sample k lands on pixel 4k + 2 (ratio 4, counted from 0): the first doubling puts samples on odd pixels, the
    others on even ones.

    Args:
        image: (H, W) or (H, W, B).
        ratio: 2, 4, 8, ...

    Raises:
        ValueError: for a ratio that is no power of two.
    """
    if ratio < 2 or ratio & (ratio - 1):
        raise ValueError(f"interp23: found ratio {ratio}, expected a power of two")
    image = np.asarray(image, np.float64)
    for stage in range(ratio.bit_length() - 1):
        offset = 1 if stage == 0 else 0
        for axis in (0, 1):
            shape = list(image.shape)
            shape[axis] *= 2
            spread = np.zeros(shape)
            np.moveaxis(spread, axis, 0)[offset::2] = np.moveaxis(image, axis, 0)
            image = ndimage.correlate1d(spread, INTERP23, axis=axis, mode="wrap")
    return image


def _bicubic(t: np.ndarray) -> np.ndarray:
    t = np.abs(t)
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return np.where(t <= 1, near, np.where(t <= 2, far, 0.0))


def _bilinear(t: np.ndarray) -> np.ndarray:
    return np.maximum(1 - np.abs(t), 0.0)


KERNELS = {"bicubic": (_bicubic, 2), "bilinear": (_bilinear, 1)}  # function, half its support


@cache
def _resize_matrix(length: int, new: int, method: str) -> np.ndarray:
    kernel, support = KERNELS[method]
    scale = new / length
    stretch = max(1.0, 1 / scale)  # antialias where shrinking
    centres = (np.arange(new) + 0.5) / scale - 0.5
    first = np.floor(centres - support * stretch).astype(int)
    index = first[:, None] + np.arange(int(np.ceil(2 * support * stretch)) + 2)
    weights = kernel((index - centres[:, None]) / stretch)
    weights /= weights.sum(axis=1, keepdims=True)
    folded = index % (2 * length)  # mirrored, the edge pixel repeated
    folded = np.where(folded < length, folded, 2 * length - 1 - folded)
    matrix = np.zeros((new, length))
    np.add.at(matrix, (np.arange(new)[:, None], folded), weights)
    return matrix


def imresize(image: np.ndarray, scale: float, method: str = "bicubic") -> np.ndarray:
    """Separable resizing as Matlab's imresize does it: bicubic with a = -0.5, antialiased where it shrinks.

    Args:
        image: (H, W) or (H, W, B).
        scale: output side over input side; sides are rounded.
        method: "bicubic" or "bilinear" (the latter, enlarging, is PyTorch's with align_corners false).

    Returns:
        float64, same rank.

    Raises:
        ValueError: for an image without pixels.
    """
    image = np.asarray(image, np.float64)
    if not image.size:
        raise ValueError(f"imresize: found shape {image.shape}, expected at least one pixel")
    rows, columns = (_resize_matrix(n, max(1, round(n * scale)), method) for n in image.shape[:2])
    return np.moveaxis(np.tensordot(columns, np.tensordot(rows, image, (1, 0)), (1, 1)), 0, 1)


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
    return np.loadtxt(Path(__file__).with_name("d700.csv"), delimiter=",")


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
    blurred = ndimage.correlate(np.asarray(hsi, np.float64), kernel, mode="nearest")
    return blurred[ratio // 2 :: ratio, ratio // 2 :: ratio]
