"""Writing images, and turning bands into something to look at."""

from pathlib import Path

import cv2
import numpy as np
import scipy
import tifffile

from data.files.geotiff import geo_tags
from data.files.image_file import LUMA
from data.files.sample_type import PNG_TYPES, Storage

from .geotiff_file import write_tiled

FORMATS = ("mat", "npy", "tif")
STRETCHES = {"none": "", "minmax": "its minimum and maximum", "percentile": "its 0.1st and 99.9th percentile"}


def to_eight_bit(image: np.ndarray) -> np.ndarray:
    """[0, 1] -> uint8, clipped, rounded half to even."""
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def stretched(image: np.ndarray, how: str) -> np.ndarray:
    """An image whose darkest and brightest parts become 0 and 1; values outside are left as they come.

    Args:
        image: (H, W).
        how: a key of `STRETCHES`; "none" leaves it, and a constant image stays as it is.
    """
    if how == "none":
        return image
    low, high = np.percentile(image, (0, 100) if how == "minmax" else (0.1, 99.9))
    return ((image - low) / (high - low)).astype(image.dtype) if high > low else image


def with_colour(luma: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """The colours of one image at the luma of another: Cb and Cr of BT.601 kept, Y replaced.

    Where the chroma is kept, red, green and blue change by as much as the luma does.

    Args:
        luma: (H, W) in [0, 1].
        colour: (3, H, W), RGB in [0, 1].

    Returns:
        (3, H, W), clipped to [0, 1].
    """
    return np.clip(colour + (luma - np.tensordot(LUMA, colour, 1)), 0, 1)


def write_stored(path: Path, image: np.ndarray, storage: Storage) -> None:
    """Write a fused image as deep as its sources are; the suffix of `path` decides, .tif keeps GeoTIFF tags, in tiles.

    Integers are rounded and clipped; floats are written as they are given.

    Args:
        path: ends in .png, .tif or .tiff.
        image: (H, W) gray or (3, H, W) RGB, in [0, 1].
        storage: of the source.

    Raises:
        ValueError: for floats or 32 bits as .png.
        OSError: where nothing could be written.
    """
    if storage.dtype == "uint8":
        numbers = to_eight_bit(image)  # the very image that is measured
    else:
        numbers = image.astype(np.float64) * storage.top
        if storage.dtype != "float32":
            numbers = np.rint(numbers.clip(0, storage.top))
    numbers = np.moveaxis(numbers, 0, -1) if image.ndim == 3 else numbers
    numbers = np.ascontiguousarray(numbers, storage.dtype)
    if path.suffix.lower() != ".png":
        colour = image.ndim == 3
        if tags := geo_tags(storage.path):
            write_tiled(path, lambda: numbers, tags, colour)
        else:
            tifffile.imwrite(path, numbers, photometric="rgb" if colour else "minisblack", metadata=None)
    elif storage.dtype in PNG_TYPES:
        write_png(path, numbers)
    else:
        raise ValueError(f"{path}: found {storage.dtype} samples, expected a .tif for them")


def write_png(path: Path, image: np.ndarray) -> None:
    """Write uint8 or uint16 (H, W) or (H, W, 3) RGB.

    Raises:
        OSError: where nothing could be written.
    """
    ok, data = cv2.imencode(".png", image if image.ndim == 2 else image[..., ::-1])
    if not ok:
        raise OSError(f"{path}: PNG encoding failed")
    path.write_bytes(data.tobytes())


def write_bands(path: Path, image: np.ndarray, scale: int) -> None:
    """Write a fused image in digital numbers; the suffix of `path` decides.

    .mat (key "fused") and .npy hold (H, W, B) float32, not rounded, not clipped; .tif holds uint16 (B, H, W), uint32
    where `scale` needs it, rounded and clipped to 0..scale.

    Args:
        path: ends in .mat, .npy or .tif.
        image: (B, H, W) in [0, 1].
        scale: digital number of 1.
    """
    numbers = np.moveaxis((image * np.float64(scale)).astype(np.float32), 0, -1)
    if path.suffix == ".mat":
        scipy.io.savemat(path, {"fused": numbers}, do_compression=True)
    elif path.suffix == ".npy":
        np.save(path, numbers)
    elif path.suffix == ".tif":
        whole = np.rint(np.clip(image * np.float64(scale), 0, scale)).astype(np.uint16 if scale < 2**16 else np.uint32)
        tifffile.imwrite(path, whole, photometric="minisblack", planarconfig="separate")
    else:
        raise ValueError(f"{path}: found suffix {path.suffix}, expected one of {', '.join(FORMATS)}")


def rgb_bands(bands: int) -> tuple[int, int, int]:
    """Indices of the red, green and blue bands: WorldView's eight, B, G, R[, ...] for three to seven.

    More than eight are taken to spread evenly over the visible light, as CAVE's 31 from 400 to 700 nm do.
    """
    if bands > 8:
        return tuple(round((bands - 1) * part) for part in (0.8, 0.467, 0.167))  # 640, 540, 450 nm
    if bands == 8:
        return 4, 2, 1
    return (2, 1, 0) if bands >= 3 else (bands - 1, 0, 0)


def stretch(image: np.ndarray, like: np.ndarray | None = None) -> np.ndarray:
    """(B, H, W) -> (H, W, 3) in [0, 1] for the eye: RGB bands between the 1st and 99th percentile of `like`.

    Args:
        image: bands first.
        like: the image whose range is taken, so that several can be compared; `image` itself by default.
    """
    like = image if like is None else like
    chosen = list(rgb_bands(len(image)))
    low, high = np.percentile(like[chosen], (1, 99), axis=(1, 2), keepdims=True)
    shown = (image[chosen] - low) / np.maximum(high - low, 1e-6)
    return np.moveaxis(np.clip(shown, 0, 1), 0, -1)
