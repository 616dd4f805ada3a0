"""The GeoTIFF tags of a TIFF, in the form in which they are written into a result, and its NoData value."""

from pathlib import Path

import tifffile

from data.errors import DataError

GEOTIFF = (33550, 33922, 34264, 34735, 34736, 34737)  # tags of the georeference
NODATA = 42113  # GDAL_NODATA: text, the value of pixels without measurement
METADATA = 42112  # GDAL_METADATA: XML; items with the roles scale and offset turn samples into a quantity
TIFF = (".tif", ".tiff")


def geo_tags(path: Path | None) -> list[tuple]:
    """Return a TIFF's GeoTIFF tags in the form of tifffile's "extratags"; an empty list for other files."""
    if path is None or path.suffix.lower() not in TIFF:
        return []
    with tifffile.TiffFile(path) as file:
        return page_geo_tags(file.pages.first)


def page_geo_tags(page: tifffile.TiffPage) -> list[tuple]:
    """Return the GeoTIFF tags of a page in the form of tifffile's "extratags"."""
    tags = [page.tags.get(code) for code in GEOTIFF]
    return [(tag.code, tag.dtype, tag.count, tag.value, True) for tag in tags if tag is not None]


def file_nodata(path: Path) -> str | None:
    """Return `page_nodata` of a TIFF's first page; None for other files."""
    if path.suffix.lower() not in TIFF:
        return None
    with tifffile.TiffFile(path) as file:
        return page_nodata(file.pages.first)


def page_nodata(page: tifffile.TiffPage) -> str | None:
    """Return the text of a page's GDAL_NODATA tag, its value for pixels without measurement; None without the tag."""
    tag = page.tags.get(NODATA)
    if tag is None:
        return None
    text = tag.value.decode("ascii", "replace") if isinstance(tag.value, bytes) else str(tag.value)
    return text.strip("\0 ")


def has_scale(page: tifffile.TiffPage) -> bool:
    """Whether a page declares a scale or an offset, by which GDAL turns its samples into a quantity."""
    tag = page.tags.get(METADATA)
    text = (
        "" if tag is None else tag.value.decode("utf-8", "replace") if isinstance(tag.value, bytes) else str(tag.value)
    )
    return 'role="scale"' in text or 'role="offset"' in text


def nodata_value(text: str, path: Path) -> float:
    """Return the number in the text of a GDAL_NODATA tag.

    Raises:
        DataError: for text that is not a number.
    """
    try:
        return float(text)
    except ValueError:
        raise DataError(path, f"GDAL_NODATA '{text[:20]}'", "a number (--nodata)") from None
