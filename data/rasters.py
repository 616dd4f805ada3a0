"""Reading one raster image (PNG, JPEG, TIFF, BMP, JPEG 2000) and bringing it to [0, 1], with every doubt settled."""

import warnings
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import Image

from .errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".jp2")
LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601


def list_images(folder: Path) -> list[Path]:
    """The image files of a folder, sorted by name; hidden files and other types are left out."""
    if not folder.is_dir():
        raise DataError(folder, "no such folder", "a folder of images")
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    if not files:
        raise DataError(folder, "no images", f"files ending in {', '.join(SUFFIXES)}")
    return files


def read_raster(path: Path) -> np.ndarray:
    """The stored samples of an image file, (H, W) or (H, W, C) with channels R, G, B[, A].

    Raises:
        DataError: for a file that is missing, truncated, of another type, or holds NaN or infinity.
    """
    if not path.is_file():
        raise DataError(path, "no such file", "an image")
    try:
        image = tifffile.imread(path) if path.suffix.lower() in (".tif", ".tiff") else _decode(path)
    except MemoryError:
        raise
    # Decoders raise their own types on damaged files (struct.error, zlib.error, TiffFileError, ...).
    except Exception as error:
        why = " ".join(str(error).split())[:100] or type(error).__name__
        raise DataError(path, f"no readable image ({why})", "a complete image file") from None
    if image.ndim == 3 and image.shape[0] in (1, 3, 4) and image.shape[2] not in (1, 3, 4):
        image = np.moveaxis(image, 0, -1)  # TIFF with planes first
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.ndim not in (2, 3) or 0 in image.shape or (image.ndim == 3 and image.shape[2] > 4):
        raise DataError(path, f"an array of shape {image.shape}", "one gray or RGB image")
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise DataError(path, "NaN or infinity", "finite values")
    return image


def _decode(path: Path) -> np.ndarray:
    # OpenCV keeps 16-bit colour but fills a truncated JPEG with gray in silence; Pillow refuses it. JP2: OpenCV alone.
    if path.suffix.lower() != ".jp2":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as probe:
                probe.load()
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError("not decodable")
    if image.ndim == 3 and image.shape[2] >= 3:
        image = image[..., [2, 1, 0, *range(3, image.shape[2])]]  # OpenCV orders B, G, R
    return image


def to_gray(image: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """One channel from gray, RGB or RGBA samples, with a line for everything that was done.

    Colour becomes luma, 0.299 R + 0.587 G + 0.114 B, rounded half to even where samples are integers: the reading of
    the field's evaluators.

    Returns:
        (H, W) in the dtype of `image`, and the lines.
    """
    notes = []
    if image.ndim == 3 and image.shape[2] in (2, 4):
        notes.append("alpha channel left out")
        image = image[..., :-1]
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.ndim == 2:
        return image, notes
    if (image[..., 0] == image[..., 1]).all() and (image[..., 0] == image[..., 2]).all():
        return image[..., 0], [*notes, "three equal channels read as gray"]
    luma = (image.astype(np.float64 if image.dtype.itemsize > 1 else np.float32) * LUMA).sum(axis=-1)
    if image.dtype.kind in "ui":
        luma = np.rint(luma).clip(0, np.iinfo(image.dtype).max)
    return luma.astype(image.dtype), [*notes, "colour turned to luma (0.299 R + 0.587 G + 0.114 B)"]


def to_unit(image: np.ndarray, where: object, bits: int | None = None) -> tuple[np.ndarray, list[str]]:
    """Samples -> float32 in [0, 1], with a line for what was done.

    Args:
        image: (H, W[, C]), unsigned integers or floats in [0, 1].
        where: the file, for messages.
        bits: declared bit depth; the depth of the integer type by default.

    Raises:
        DataError: for values outside the declared depth or [0, 1], and other dtypes.
    """
    kind = image.dtype.kind
    if kind == "b":
        return image.astype(np.float32), ["1-bit image"]
    if kind == "f":
        least, most = float(image.min()), float(image.max())
        if bits is not None and most > 1:
            return _scaled(image, where, bits), [f"float image divided by {2**bits - 1}"]
        if least < 0 or most > 1:
            raise DataError(where, f"floats from {least:g} to {most:g}", "0 to 1, or a declared bit depth (--bits)")
        return image.astype(np.float32), []
    if kind != "u":
        raise DataError(where, f"samples of type {image.dtype}", "8- or 16-bit unsigned integers, or floats in [0, 1]")
    depth = 8 * image.dtype.itemsize
    if bits is not None and bits > depth:
        raise DataError(where, f"{depth}-bit samples", f"the declared {bits} bits")
    if image.dtype.itemsize > 2 and bits is None:
        raise DataError(where, f"{depth}-bit integers", "a declared bit depth (--bits)")
    bits = bits or depth
    return _scaled(image, where, bits), [f"{bits}-bit image divided by {2**bits - 1}"] if bits != 8 else []


def _scaled(image: np.ndarray, where: object, bits: int) -> np.ndarray:
    least, most, top = float(image.min()), float(image.max()), 2**bits - 1
    if least < 0 or most > top:
        raise DataError(where, f"values from {least:g} to {most:g}", f"0 to {top} of the declared {bits} bits")
    return (image / np.float64(top)).astype(np.float32)
