"""How many pages a TIFF has: each takes time to be looked at, and few bytes in the file."""

from pathlib import Path

import tifffile

from data.errors import DataError

from .size_limits import MOST_BANDS

MOST_PAGES = 2 * MOST_BANDS  # a page a band, and a smaller one of each


def check_pages(path: Path, file: tifffile.TiffFile) -> None:
    """DataError for a TIFF of more pages than an image has; no more of them are looked at."""
    try:
        file.pages[MOST_PAGES]
    except IndexError:
        return
    raise DataError(path, f"more than {MOST_PAGES} pages", "one image")
