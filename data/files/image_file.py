"""Reads one raster image (PNG, JPEG, TIFF, BMP, JPEG 2000) and converts it to gray, RGB and [0, 1]."""

import os
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import tifffile
from PIL import Image

from data.errors import DataError, one_line

from .folders import Found, files_in
from .geotiff import geo_tags
from .orientation import ORIENTATION, orientation, upright
from .regular_file import check_regular
from .remarks import Routine
from .sample_range import are_digital_numbers, listed
from .size_limits import ALWAYS, check_declared
from .tiff_pages import check_pages

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".jp2")
DAMAGE = ("libpng error", "bad Huffman code", "premature end of data")  # the decoder has filled in pixels
_STDERR = threading.Lock()  # the process has one stderr, so one reader at a time captures it
BT601 = (0.299, 0.587, 0.114)  # ITU-R BT.601: weights of red, green and blue in the luma
LUMA = np.array(BT601, np.float32)


def list_images(folder: Path, deep: bool = False) -> Found:
    """Return the image files of a folder, sorted; see `folders.files_in`. Raises DataError if there are none."""
    found = files_in(folder, SUFFIXES, "a folder of images", deep)
    if not found.paths:
        raise DataError(folder, "no images", f"files ending in {', '.join(SUFFIXES)}")
    return found


def read_raster(path: Path, nan: bool = False) -> np.ndarray:
    """Return the stored samples of an image file, (H, W) or (H, W, C) with channels R, G, B[, A].

    Args:
        path: the file.
        nan: whether floats may be NaN.

    Raises:
        DataError: for a file that is missing, truncated, of another type, or holds infinity, or NaN without `nan`.
    """
    check_regular(path, "an image")
    try:
        with _captured_stderr() as lines:
            image = _read_tiff(path) if path.suffix.lower() in (".tif", ".tiff") else _decode(path)
        if damage := next((line for line in lines if any(words in line for words in DAMAGE)), None):
            raise ValueError(damage)
    except DataError:
        raise
    # Decoders raise their own types on damaged files (struct.error, zlib.error, MemoryError, TiffFileError, ...).
    except Exception as error:
        why = one_line(error, 100) or type(error).__name__
        raise DataError(path, f"no readable image ({why})", "a complete image file") from None
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.ndim not in (2, 3) or 0 in image.shape or (image.ndim == 3 and image.shape[2] > 4):
        raise DataError(path, f"an array of shape {image.shape}", "one gray or RGB image")
    if image.dtype.kind not in "buif":
        raise DataError(path, f"samples of type {image.dtype}", "integers or floats")
    if image.dtype.kind == "f" and not (np.isfinite(image) | (np.isnan(image) & nan)).all():
        raise DataError(path, "NaN or infinity", "finite values")
    return image


@contextmanager
def _captured_stderr() -> Iterator[list[str]]:
    """Capture what C libraries print to stderr inside the block; the list holds the lines afterwards."""
    lines: list[str] = []
    with _STDERR, tempfile.TemporaryFile() as file:
        try:
            own = os.dup(2)
        except OSError:  # a process without stderr
            yield lines
            return
        os.dup2(file.fileno(), 2)
        try:
            yield lines
        finally:
            os.dup2(own, 2)
            os.close(own)
            file.seek(0)
            lines += file.read().decode("utf-8", "replace").splitlines()


def _read_tiff(path: Path) -> np.ndarray:
    """Return the only image of a TIFF; overviews are left out, further pages are refused."""
    with tifffile.TiffFile(path) as file:
        check_pages(path, file)
        every = cast("list[tifffile.TiffPage]", list(file.pages))  # tifffile makes frames on request only
        pages = [page for page in every if not page.is_reduced]
        if len(pages) != 1:
            raise DataError(path, f"{len(pages)} pages", "one image")
        page = pages[0]
        check_declared(path, f"an image of shape {page.shape}", page.nbytes, large=ALWAYS)
        photometric = tifffile.PHOTOMETRIC(page.photometric).name
        if photometric not in ("MINISBLACK", "MINISWHITE", "RGB", "PALETTE"):
            turning = page.tags.get(ORIENTATION)
            stored = None if turning is None else (turning.valueoffset, np.array([1], f"{file.byteorder}u2"))
            return _decode(path, stored)
        image = page.asarray()
        if page.axes.startswith("S"):
            image = np.moveaxis(image, 0, -1)
        if photometric == "MINISWHITE":
            if image.dtype.kind not in "bu":
                raise DataError(path, f"{image.dtype} samples whose zero is white", "zero for black")
            image = ~image if image.dtype.kind == "b" else np.iinfo(image.dtype).max - image
        if photometric == "PALETTE":
            assert page.colormap is not None, "a palette without colours"
            image = np.moveaxis((page.colormap >> 8).astype(np.uint8)[:, image], 0, -1)
        return image


def _decode(path: Path, replaced: tuple[int, np.ndarray] | None = None) -> np.ndarray:
    """Decode a file with OpenCV; `replaced` is an offset in the file and the bytes to put there first.

    OpenCV turns TIFFs by their orientation tag, so the caller replaces the tag's value.
    """
    # OpenCV fills a truncated JPEG with gray and only prints a message about a damaged PNG. Pillow refuses both, so it
    # checks them first; of JPEG 2000 it only reads the sides.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(path) as probe:
            size = probe.width * probe.height * len(probe.getbands())
            check_declared(path, f"an image of {probe.width}x{probe.height} pixels", size, large=ALWAYS)
            kind = probe.format
        if kind != "JPEG2000":
            if kind == "PNG":
                with Image.open(path) as probe:
                    probe.verify()
            with Image.open(path) as probe:
                probe.load()
    data = np.fromfile(path, np.uint8)
    if replaced is not None:
        offset, value = replaced
        data[offset : offset + value.nbytes] = value.view(np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError("not decodable")
    if image.ndim == 3 and image.shape[2] >= 3:
        image = image[..., [2, 1, 0, *range(3, image.shape[2])]]  # OpenCV orders B, G, R
    return image


def read_upright(path: Path, nan: bool = False) -> tuple[np.ndarray, list[str]]:
    """Return the samples of `read_raster`, turned by the EXIF orientation, and a note if this is not 1 (as stored).

    A georeferenced TIFF is not turned, because its tags describe the stored pixels. Raises as `read_raster`.
    """
    raw, number = read_raster(path, nan), orientation(path)
    if number == 1:
        return raw, []
    if geo_tags(path):
        return raw, [f"EXIF orientation {number} not applied, pixels as stored: the file is georeferenced"]
    return upright(raw, number), [f"EXIF orientation {number} applied"]


def to_gray(image: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Convert gray, RGB or RGBA samples to one channel.

    Colour becomes luma, 0.299 R + 0.587 G + 0.114 B, rounded half to even for integers, as in the field's evaluators.

    Args:
        image: (H, W), or (H, W, C) with C from 1 to 4; the last of two or four channels is alpha.

    Returns:
        (H, W) in the dtype of `image`, and notes on the conversions.
    """
    notes: list[str] = []
    if image.ndim == 3 and image.shape[2] in (2, 4):
        notes.append("alpha channel left out")
        image = image[..., :-1]
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.ndim == 2:
        return image, notes
    if to_rgb(image) is None:
        return image[..., 0], [*notes, Routine("three equal channels read as gray")]
    floats: np.ndarray = image.astype(np.float64 if image.dtype.itemsize > 1 else np.float32)
    luma = (floats * LUMA).sum(axis=-1)
    if image.dtype.kind in "ui":
        luma = np.rint(luma).clip(0, np.iinfo(image.dtype).max)
    told = Routine("colour turned to luma (0.299 R + 0.587 G + 0.114 B)")
    return luma.astype(image.dtype), [*notes, told]


def to_rgb(image: np.ndarray) -> np.ndarray | None:
    """Return the red, green and blue channels (H, W, 3) of an image; None if it is gray or the three are equal."""
    if image.ndim == 2 or image.shape[2] < 3:
        return None
    red, green, blue = np.moveaxis(image[..., :3], -1, 0)
    return None if (red == green).all() and (red == blue).all() else image[..., :3]


def to_unit(image: np.ndarray, where: object, bits: int | None = None) -> tuple[np.ndarray, list[str]]:
    """Convert samples to float32 in [0, 1].

    Args:
        image: (H, W) or (H, W, C): unsigned integers, booleans, floats in [0, 1], or with `bits` floats that hold
            digital numbers.
        where: the file, for messages.
        bits: bit depth of samples stored in more than 8 bits; by default that of the integer type.

    Returns:
        The samples divided by the largest value of their depth, and notes on the conversion.

    Raises:
        DataError: for values outside the depth or [0, 1], other types, and integers of over 16 bits without `bits`.
    """
    kind = image.dtype.kind
    if kind == "b":
        return image.astype(np.float32), ["1-bit image"]
    if kind == "f":
        both = f"0 to 1, or numbers of the declared {bits} bits (--bits)"
        if bits is not None and are_digital_numbers(image, where, both):
            return _scaled(image, where, bits), [Routine(f"float image divided by {2**bits - 1}")]
        if image.min() < 0 or image.max() > 1:
            raise DataError(where, f"floats {listed(image)}", "0 to 1, or a declared bit depth (--bits)")
        return image.astype(np.float32), []
    if kind != "u":
        raise DataError(where, f"samples of type {image.dtype}", "8- or 16-bit unsigned integers, or floats in [0, 1]")
    depth = 8 * image.dtype.itemsize
    if depth == 8 and (bits or 8) > 8:
        return _scaled(image, where, 8), [f"8-bit image divided by 255, the declared {bits} bits are for deeper ones"]
    if bits is not None and bits > depth:
        raise DataError(where, f"{depth}-bit samples", f"the declared {bits} bits")
    if image.dtype.itemsize > 2 and bits is None:
        raise DataError(where, f"{depth}-bit integers", "a declared bit depth (--bits)")
    bits = bits or depth
    told: list[str] = [Routine(f"{bits}-bit image divided by {2**bits - 1}")] if bits != 8 else []
    return _scaled(image, where, bits), told


def _scaled(image: np.ndarray, where: object, bits: int) -> np.ndarray:
    top = 2**bits - 1
    if image.min() < 0 or image.max() > top:
        raise DataError(where, f"values {listed(image)}", f"0 to {top} of the declared {bits} bits")
    return (image / np.float64(top)).astype(np.float32)
