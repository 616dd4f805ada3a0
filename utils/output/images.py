"""Writes images, and makes pictures of multi-band images."""

from pathlib import Path

import cv2
import numpy as np
import scipy
import tifffile

from data.files.geotiff import NODATA
from data.files.held_value import held
from data.files.image_file import LUMA
from data.files.moved_tags import moved_tags
from data.files.pair_ground import placed_tags
from data.files.sample_type import PNG_TYPES, Storage

from .geotiff_file import write_tiled
from .stored_numbers import with_nodata

FORMATS = ("mat", "npy", "tif")
STRETCHES = {"none": "", "minmax": "its minimum and maximum", "percentile": "its 0.1st and 99.9th percentile"}


def to_eight_bit(image: np.ndarray) -> np.ndarray:
    """Return an image in [0, 1] as uint8, clipped, rounded half to even, in the same shape."""
    return np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)


def stretched(image: np.ndarray, how: str) -> np.ndarray:
    """Return an image (H, W) scaled so that its darkest and brightest parts become 0 and 1; it is not clipped.

    Args:
        image: (H, W); a constant image is returned unchanged.
        how: a key of `STRETCHES`: "minmax" uses minimum and maximum, "percentile" the 0.1st and 99.9th percentile;
            "none" returns the image unchanged.
    """
    if how == "none":
        return image
    low, high = np.percentile(image, (0, 100) if how == "minmax" else (0.1, 99.9))
    return ((image - low) / (high - low)).astype(image.dtype) if high > low else image


def with_colour(luma: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Return an image with the colour of one image and the luma of another: BT.601's Cb and Cr are kept, Y is replaced.

    With the chroma fixed, red, green and blue change by the same amount as the luma.

    Args:
        luma: (H, W) in [0, 1].
        colour: (3, H, W), RGB in [0, 1].

    Returns:
        (3, H, W), clipped to [0, 1].
    """
    return np.clip(colour + (luma - np.tensordot(LUMA, colour, 1)), 0, 1)


def write_stored(path: Path, image: np.ndarray, storage: Storage, missing: np.ndarray | None = None) -> None:
    """Write a fused image in the sample type of its sources; a TIFF is tiled and gets the source's GeoTIFF tags.

    Integers are rounded and clipped; floats are written unchanged. Missing pixels are NoData in a TIFF, black in a PNG.

    Args:
        path: the file, ending in .png, .tif or .tiff, which decides the format.
        image: (H, W) gray or (3, H, W) RGB, in [0, 1].
        storage: the sample type of the sources.
        missing: (H, W) bool, the pixels that are not measured in at least one source; None if there are none.

    Raises:
        ValueError: for floats or 32 bits as .png.
        OSError: if the file cannot be written.
    """
    if storage.dtype == "uint8":
        numbers = to_eight_bit(image)  # the same image that is measured
    else:
        numbers = image.astype(np.float64) * storage.top
        if storage.dtype != "float32":
            numbers = np.rint(numbers.clip(0, storage.top))
    numbers = np.moveaxis(numbers, 0, -1) if image.ndim == 3 else numbers
    numbers = np.ascontiguousarray(numbers, storage.dtype)
    if path.suffix.lower() != ".png":
        colour = image.ndim == 3
        tags = moved_tags(placed_tags(storage.path) if storage.path else [], *storage.corner)
        if missing is not None:
            text = storage.nodata or "0"
            numbers = with_nodata(numbers, held(float(text), numbers.dtype), ~missing, storage.top)
            tags.append((NODATA, 2, 0, text, True))
        if tags:
            write_tiled(path, lambda: numbers, tags, colour)
        else:
            tifffile.imwrite(path, numbers, photometric="rgb" if colour else "minisblack", metadata=None)
    elif storage.dtype in PNG_TYPES:
        if missing is not None:
            numbers[missing] = 0
        write_png(path, numbers)
    else:
        raise ValueError(f"{path}: found {storage.dtype} samples, expected a .tif for them")


def write_png(path: Path, image: np.ndarray) -> None:
    """Write an image, uint8 or uint16, (H, W) or (H, W, 3) RGB, as PNG.

    Raises:
        OSError: if the file cannot be written.
    """
    ok, data = cv2.imencode(".png", image if image.ndim == 2 else image[..., ::-1])
    if not ok:
        raise OSError(f"{path}: PNG encoding failed")
    path.write_bytes(data.tobytes())


def write_bands(path: Path, image: np.ndarray, scale: int) -> None:
    """Write a fused image in digital numbers.

    .mat (key "fused") and .npy hold (H, W, B) float32, neither rounded nor clipped. .tif holds (B, H, W) uint16, or
    uint32 if `scale` needs it, rounded and clipped to 0..scale.

    Args:
        path: the file, ending in .mat, .npy or .tif, which decides the format.
        image: (B, H, W) in [0, 1].
        scale: digital number of 1.

    Raises:
        ValueError: for another suffix.
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
    """Return the indices of the red, green and blue bands.

    Eight bands are taken as WorldView's, three to seven as B, G, R, ..., and more than eight as spread evenly over the
    visible light, like CAVE's 31 from 400 to 700 nm. With fewer than three, red is the last, green and blue the first.
    """
    if bands > 8:
        return tuple(round((bands - 1) * part) for part in (0.8, 0.467, 0.167))  # 640, 540, 450 nm
    if bands == 8:
        return 4, 2, 1
    return (2, 1, 0) if bands >= 3 else (bands - 1, 0, 0)


def stretch(image: np.ndarray, like: np.ndarray | None = None) -> np.ndarray:
    """Return a picture (H, W, 3) in [0, 1] of an image: RGB bands, stretched from the 1st to the 99th percentile.

    Args:
        image: (B, H, W).
        like: (B, h, w), the image whose percentiles are used, so that pictures can be compared; None is `image`.
    """
    like = image if like is None else like
    chosen = list(rgb_bands(len(image)))
    low, high = np.percentile(like[chosen], (1, 99), axis=(1, 2), keepdims=True)
    shown = (image[chosen] - low) / np.maximum(high - low, 1e-6)
    return np.moveaxis(np.clip(shown, 0, 1), 0, -1)
