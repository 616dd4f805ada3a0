"""Refuses TIFFs with masks, palettes or zero for white, whose samples are no plain measurements; finds alpha bands."""

from pathlib import Path
from typing import cast

import numpy as np
import tifffile

from data.errors import DataError

from .size_limits import check_declared
from .tiff_pages import check_pages

MASK = 4  # bit of NewSubfileType
TRANSPARENT = (1, 2)  # values of ExtraSamples: associated and unassociated alpha
OTHER_MEANING = {"MINISWHITE": "samples whose zero is white", "PALETTE": "indices of a palette's colours"}


def check_samples(path: Path, file: tifffile.TiffFile) -> None:
    """Raise DataError unless all samples of a TIFF are measured numbers.

    Args:
        path: the file; GDAL's mask beside it, NAME.tif.msk, is checked as well.
        file: the opened file, whose number of pages has been checked.

    Raises:
        DataError: for palettes, zero for white, and a mask with pixels of 0.
    """
    meaning = OTHER_MEANING.get(getattr(file.series[0].keyframe.photometric, "name", ""))
    if meaning:
        raise DataError(path, meaning, "numbers, zero for black")
    _check_masks(path, path, file)
    check_mask_beside(path)


def read_alpha(path: Path, declares: str | None) -> int | None:
    """Return the number, from 1, of the alpha channel of a TIFF that `read_raster` reads; None without one.

    Args:
        path: the file.
        declares: text of its NoData value; None without one.

    Raises:
        DataError: for a mask beside it with pixels of 0, and a NoData value of samples that are no plain numbers.
    """
    check_mask_beside(path)
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        meaning = OTHER_MEANING.get(getattr(page.photometric, "name", ""))
        if declares is not None and meaning:
            raise DataError(path, f"NoData ({declares[:20]}) beside {meaning}", "numbers, zero for black")
        return next(iter(transparency(page)), None)


def check_mask_beside(path: Path) -> None:
    """Raise DataError for a mask in GDAL's file beside a TIFF, NAME.tif.msk, that leaves pixels out."""
    beside = path.with_name(f"{path.name}.msk")
    if not beside.is_file():
        return
    try:
        with tifffile.TiffFile(beside) as masks:
            check_pages(beside, masks)
            _check_masks(path, beside, masks, every=True)
    except DataError:
        raise
    except Exception:  # tifffile raises its own types on damaged files
        raise DataError(beside, "no readable mask", "a TIFF, or no such file") from None


def transparency(page: tifffile.TiffPage) -> list[int]:
    """Return the bands, counted from 1, that a page declares as transparency (alpha)."""
    extra = [int(kind) for kind in page.extrasamples]
    first = page.samplesperpixel - len(extra) + 1
    return [first + number for number, kind in enumerate(extra) if kind in TRANSPARENT]


def _check_masks(path: Path, holder: Path, file: tifffile.TiffFile, every: bool = False) -> None:
    """Raise DataError for a full-size mask in `file` with pixels of 0; with `every`, all its pages are masks."""
    for page in cast("list[tifffile.TiffPage]", list(file.pages)):
        kind = int(page.subfiletype)
        if kind & 1 or not (every or kind & MASK):
            continue
        check_declared(holder, f"a mask of shape {page.shape}", page.nbytes)
        left_out = page.size - int(np.count_nonzero(page.asarray()))
        if left_out:
            expected = "NoData as a value of the samples (gdalwarp -dstnodata VALUE), which the pixels left out hold"
            raise DataError(
                path,
                f"a mask{'' if holder == path else f' ({holder.name})'} that leaves out {left_out} samples",
                expected,
            )
