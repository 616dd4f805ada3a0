"""Where on Earth the pixels of a TIFF are: its GeoTIFF tags, read to be written into a result."""

from pathlib import Path

import tifffile

from data.errors import DataError

GEOTIFF = (33550, 33922, 34264, 34735, 34736, 34737)  # the tags that say where on Earth the pixels are
NODATA = 42113  # GDAL_NODATA: text, the value of pixels that hold no measurement
METADATA = 42112  # GDAL_METADATA: XML; items of the roles scale and offset make a quantity of the samples
TIFF = (".tif", ".tiff")


def geo_tags(path: Path | None) -> list[tuple]:
    """The GeoTIFF tags of a TIFF as tifffile writes them ("extratags"); none of other files."""
    if path is None or path.suffix.lower() not in TIFF:
        return []
    with tifffile.TiffFile(path) as file:
        return page_geo_tags(file.pages.first)


def page_geo_tags(page: tifffile.TiffPage) -> list[tuple]:
    """The GeoTIFF tags of a page, likewise."""
    tags = [page.tags.get(code) for code in GEOTIFF]
    return [(tag.code, tag.dtype, tag.count, tag.value, True) for tag in tags if tag is not None]


def file_nodata(path: Path) -> str | None:
    """`page_nodata` of a TIFF; None of other files."""
    if path.suffix.lower() not in TIFF:
        return None
    with tifffile.TiffFile(path) as file:
        return page_nodata(file.pages.first)


def page_nodata(page: tifffile.TiffPage) -> str | None:
    """What a page declares its pixels without measurement to hold, as it is written there; None where it does not."""
    tag = page.tags.get(NODATA)
    if tag is None:
        return None
    text = tag.value.decode("ascii", "replace") if isinstance(tag.value, bytes) else str(tag.value)
    return text.strip("\0 ")


def has_scale(page: tifffile.TiffPage) -> bool:
    """Whether a page declares a scale or an offset that turns its samples into a quantity (GDAL's)."""
    tag = page.tags.get(METADATA)
    text = (
        "" if tag is None else tag.value.decode("utf-8", "replace") if isinstance(tag.value, bytes) else str(tag.value)
    )
    return 'role="scale"' in text or 'role="offset"' in text


def nodata_value(text: str, path: Path) -> float:
    """The value of a GDAL_NODATA tag.

    Raises:
        DataError: for text that is no number.
    """
    try:
        return float(text)
    except ValueError:
        raise DataError(path, f"GDAL_NODATA '{text[:20]}'", "a number (--nodata)") from None
