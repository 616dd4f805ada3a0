"""Limits the number of pages in a TIFF: reading each takes time, but it needs few bytes in the file."""

from pathlib import Path

import tifffile

from data.errors import DataError

from .size_limits import MOST_BANDS

MOST_PAGES = 2 * MOST_BANDS  # one page per band, and a smaller version of each


def check_pages(path: Path, file: tifffile.TiffFile) -> None:
    """Raise DataError for a TIFF of more than 2048 pages, more than one image has; further pages are not read."""
    try:
        file.pages[MOST_PAGES]
    except IndexError:
        return
    raise DataError(path, f"more than {MOST_PAGES} pages", "one image")
