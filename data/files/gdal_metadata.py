"""Reads the tags that describe a TIFF and its bands, apart from the georeference: texts, GDAL metadata, RGB."""

from typing import NamedTuple
from xml.etree import ElementTree

import tifffile

from .geotiff import METADATA

TEXTS = (270, 306, 315, 33432)  # ImageDescription, DateTime, Artist, Copyright
LAYOUT = ("{", "<", "ImageJ=", "shape=")  # first characters of descriptions in which programs store the file's layout
NOT_OF_FUSED = ("scale", "offset")  # roles of items that turn samples into a quantity
MOST_TEXT = 2**20  # characters


class Described(NamedTuple):
    """The descriptive tags of an MS image that hold for its fused image as well.

    Attributes:
        tags: the tags in the form of tifffile's "extratags".
        rgb: whether the first three bands are declared red, green and blue.
    """

    tags: tuple[tuple, ...] = ()
    rgb: bool = False


def described(page: tifffile.TiffPage) -> Described:
    """Return a page's text tags, its GDAL items except scale, offset and statistics, and whether it is RGB."""
    tags = []
    for code in TEXTS:
        text = _text(page, code)
        if text and len(text) < MOST_TEXT and not (code == TEXTS[0] and text.startswith(LAYOUT)):
            tags.append((code, 2, 0, text.encode("utf-8", "replace"), True))
    if items := _items(_text(page, METADATA)):
        tags.append((METADATA, 2, 0, items, True))
    rgb = page.photometric == tifffile.PHOTOMETRIC.RGB and page.samplesperpixel >= 3
    return Described(tuple(tags), rgb)


def _text(page: tifffile.TiffPage, code: int) -> str:
    tag = page.tags.get(code)
    if tag is None:
        return ""
    value = tag.value
    return (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).strip("\0 ")


def _items(text: str) -> bytes | None:
    """Return GDAL's XML with only the items that hold for a fused image; None without any, or if it is damaged."""
    if not text or len(text) > MOST_TEXT or "<!" in text:  # "<!" may declare entities that expand to fill memory
        return None
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return None
    kept = [
        item
        for item in root.findall("Item")
        if item.get("role") not in NOT_OF_FUSED and not item.get("name", "").startswith("STATISTICS_")
    ]
    if not kept:
        return None
    out = ElementTree.Element("GDALMetadata")
    out.extend(kept)
    return ElementTree.tostring(out, encoding="utf-8")
