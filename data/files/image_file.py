"""Reading one raster image (PNG, JPEG, TIFF, BMP, JPEG 2000) and bringing it to [0, 1], with every doubt settled."""

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
DAMAGE = ("libpng error", "bad Huffman code", "premature end of data")  # pixels made up, in words of the decoders
_STDERR = threading.Lock()  # is the process's: one reader at a time
BT601 = (0.299, 0.587, 0.114)  # ITU-R BT.601: shares of red, green and blue in the luma
LUMA = np.array(BT601, np.float32)


def list_images(folder: Path, deep: bool = False) -> Found:
    """The image files of a folder, sorted by name; other types are left out, and see `folders.files_in`."""
    found = files_in(folder, SUFFIXES, "a folder of images", deep)
    if not found.paths:
        raise DataError(folder, "no images", f"files ending in {', '.join(SUFFIXES)}")
    return found


def read_raster(path: Path) -> np.ndarray:
    """The stored samples of an image file, (H, W) or (H, W, C) with channels R, G, B[, A].

    Raises:
        DataError: for a file that is missing, truncated, of another type, or holds NaN or infinity.
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
    if image.dtype.kind == "f" and not np.isfinite(image).all():
        raise DataError(path, "NaN or infinity", "finite values")
    return image


@contextmanager
def _captured_stderr() -> Iterator[list[str]]:
    """Capture what C libraries print on the process's stderr inside the block; the list holds the lines after it."""
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
    """The one image of a TIFF; overviews are left out, further pages refused."""
    with tifffile.TiffFile(path) as file:
        check_pages(path, file)
        every = cast("list[tifffile.TiffPage]", list(file.pages))  # frames are made on request alone
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
    """By OpenCV, what it is given at an offset of the file being `replaced`: it turns TIFFs itself by their tag."""
    # OpenCV keeps 16-bit colour but fills a truncated JPEG with gray in silence, and complains of a damaged PNG on
    # stderr; Pillow refuses both. JPEG 2000: OpenCV decodes alone, Pillow reads its sides.
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


def read_upright(path: Path) -> tuple[np.ndarray, list[str]]:
    """`read_raster` of a file, turned as its EXIF says, and a line where that changed it.

    A TIFF that says where on Earth its pixels are stays as it is stored: its tags are about the stored pixels.

    Raises:
        DataError: as `read_raster`.
    """
    raw, number = read_raster(path), orientation(path)
    if number == 1:
        return raw, []
    if geo_tags(path):
        return raw, [f"EXIF orientation {number} not applied, pixels as stored: the file is georeferenced"]
    return upright(raw, number), [f"EXIF orientation {number} applied"]


def to_gray(image: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """One channel from gray, RGB or RGBA samples, with a line for everything that was done.

    Colour becomes luma, 0.299 R + 0.587 G + 0.114 B, rounded half to even where samples are integers: the reading of
    the field's evaluators.

    Returns:
        (H, W) in the dtype of `image`, and the lines.
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
    """(H, W, 3) of RGB or RGBA samples; None for gray ones, three equal channels included."""
    if image.ndim == 2 or image.shape[2] < 3:
        return None
    red, green, blue = np.moveaxis(image[..., :3], -1, 0)
    return None if (red == green).all() and (red == blue).all() else image[..., :3]


def to_unit(image: np.ndarray, where: object, bits: int | None = None) -> tuple[np.ndarray, list[str]]:
    """Samples -> float32 in [0, 1], with a line for what was done.

    Args:
        image: (H, W[, C]), unsigned integers or floats in [0, 1].
        where: the file, for messages.
        bits: declared bit depth of samples stored in more than 8 bits; the depth of the integer type by default.

    Raises:
        DataError: for values outside the declared depth or [0, 1], and other dtypes.
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
