"""The filters of pansharpening's protocols, in NumPy and SciPy: sensor MTF, 23-tap interpolation, Matlab's imresize.

Source: the DLPan-Toolbox (Deng et al., GRSM 2022): Gaussian filters with the sensor's MTF gain at Nyquist. Images are
(H, W) or (H, W, B), computed in float64, neither rounded nor clipped. The filters are part of the metrics because
D_lambda_K and D_s are defined by them; `data.simulate` imports them from here.
"""

from functools import cache

import numpy as np
import scipy

from .sensors import OTHER_GAIN, ms_gains, pan_gain

MTF_SIZE = 41
_INNER = (0.5, 0.305334091185, 0.0, -0.072698593239, 0.0, 0.021809577942, 0.0, -0.005192756653, 0.0, 0.000807762146)
_TAPS = (*_INNER, 0.0, -0.000060081482)
INTERP23 = 2 * np.array(_TAPS[:0:-1] + _TAPS)


@cache
def _mtf_kernel(gain: float, ratio: int) -> np.ndarray:
    """Return (41, 41): a Gaussian with this gain at the low-resolution Nyquist frequency, Kaiser window, beta 0.5."""
    u = np.arange(MTF_SIZE) - MTF_SIZE // 2
    rho = np.hypot(u[:, None], u)
    window = np.interp(rho, np.arange(21), np.kaiser(MTF_SIZE, 0.5)[20:], right=0.0)
    sigma = np.sqrt(((MTF_SIZE - 1) / (2 * ratio)) ** 2 / (-2 * np.log(gain)))
    response = np.exp(-(rho**2) / (2 * sigma**2))
    return np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(response)).real) * window


def mtf_kernels(sensor: str, bands: int, ratio: int = 4) -> np.ndarray:
    """Return low-pass kernels with the MS sensor's MTF, (bands, 41, 41) float64; their sums are slightly under one.

    Args:
        sensor: "WV2", "WV3", "WV4", "QB", "IKONOS", "GeoEye1", or gains, see `sensors.ms_gains`; any other name has the
            gain 0.3 in every band.
        bands: bands of the image.
        ratio: resolution ratio of MS and pan.

    Raises:
        ValueError: if the sensor, or the list of gains, has another number of bands.
    """
    gains = ms_gains(sensor) or (OTHER_GAIN,) * bands
    if len(gains) != bands:
        raise ValueError(f"sensor {sensor}: found an image of {bands} bands, expected {len(gains)}")
    return np.stack([_mtf_kernel(gain, ratio) for gain in gains])


def _filtered(image: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """Return (H, W, B) correlated band by band with (B, 41, 41), borders replicated."""
    margin = MTF_SIZE // 2
    wide = np.pad(np.asarray(image, np.float64), ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    # The kernels are symmetric, so convolution is correlation; by FFT because they are large.
    return scipy.signal.fftconvolve(wide, np.moveaxis(kernels, 0, -1), mode="valid", axes=(0, 1))


def mtf_filter(image: np.ndarray, sensor: str, ratio: int = 4) -> np.ndarray:
    """Return MS (H, W, B) filtered by `mtf_kernels`, borders replicated, as float64 (H, W, B)."""
    return _filtered(image, mtf_kernels(sensor, image.shape[2], ratio))


def mtf_filter_pan(pan: np.ndarray, sensor: str, ratio: int = 4) -> np.ndarray:
    """Return pan (H, W) filtered by the Gaussian of the pan's gain (0.15 for unknown sensors), borders replicated."""
    kernel = _mtf_kernel(pan_gain(sensor), ratio)
    return _filtered(pan[..., None], kernel[None])[..., 0]


def interp23(image: np.ndarray, ratio: int = 4) -> np.ndarray:
    """Upsample an image by a power of two with the toolbox's 23-tap filter and circular borders.

    With ratio 4, sample k lies on pixel 4k + 2, counted from 0: the first doubling puts samples on odd pixels, later
    doublings on even ones.

    Args:
        image: (H, W) or (H, W, B).
        ratio: 2, 4, 8, ...

    Returns:
        (ratio H, ratio W) or (ratio H, ratio W, B), float64.

    Raises:
        ValueError: for a ratio that is not a power of two.
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
            image = scipy.ndimage.correlate1d(spread, INTERP23, axis=axis, mode="wrap")
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
    stretch = max(1.0, 1 / scale)  # antialiasing when shrinking
    centres = (np.arange(new) + 0.5) / scale - 0.5
    first = np.floor(centres - support * stretch).astype(int)
    index = first[:, None] + np.arange(int(np.ceil(2 * support * stretch)) + 2)
    weights = kernel((index - centres[:, None]) / stretch)
    weights /= weights.sum(axis=1, keepdims=True)
    folded = index % (2 * length)  # mirrored with the edge pixel repeated
    folded = np.where(folded < length, folded, 2 * length - 1 - folded)
    matrix = np.zeros((new, length))
    np.add.at(matrix, (np.arange(new)[:, None], folded), weights)
    return matrix


def imresize(image: np.ndarray, scale: float, method: str = "bicubic") -> np.ndarray:
    """Resize an image as Matlab's imresize does: separable, bicubic with a = -0.5, antialiased when shrinking.

    Args:
        image: (H, W) or (H, W, B).
        scale: output side over input side; output sides are rounded.
        method: "bicubic" or "bilinear"; enlarging by "bilinear" equals PyTorch's with align_corners false.

    Returns:
        The resized image, float64, of the same rank.

    Raises:
        ValueError: for an image without pixels, or another method.
    """
    image = np.asarray(image, np.float64)
    if method not in KERNELS:
        raise ValueError(f"imresize: found method {method!r}, expected {' or '.join(KERNELS)}")
    if not image.size:
        raise ValueError(f"imresize: found shape {image.shape}, expected at least one pixel")
    rows, columns = (_resize_matrix(n, max(1, round(n * scale)), method) for n in image.shape[:2])
    return np.moveaxis(np.tensordot(columns, np.tensordot(rows, image, (1, 0)), (1, 1)), 0, 1)
