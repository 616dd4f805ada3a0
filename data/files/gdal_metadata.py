"""What a TIFF says of its bands and of itself beside its place: names, colours, items of GDAL, text of its own."""

from typing import NamedTuple
from xml.etree import ElementTree

import tifffile

from .geotiff import METADATA

TEXTS = (270, 306, 315, 33432)  # ImageDescription, DateTime, Artist, Copyright
LAYOUT = ("{", "<", "ImageJ=", "shape=")  # descriptions by which programs tell how the file is laid out
NOT_OF_FUSED = ("scale", "offset")  # roles of items that make a quantity of the samples
MOST_TEXT = 2**20  # characters


class Described(NamedTuple):
    """What may be said of a fused image's bands as of its MS image's.

    Attributes:
        tags: as tifffile writes them ("extratags").
        rgb: whether the first three bands are declared red, green and blue.
    """

    tags: tuple[tuple, ...] = ()
    rgb: bool = False


def described(page: tifffile.TiffPage) -> Described:
    """Of a page: text, GDAL's items without scale, offset and statistics, and whether it is RGB."""
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
    """GDAL's XML with what stays true; None where nothing does, or it is damaged."""
    if not text or len(text) > MOST_TEXT or "<!" in text:  # entities have no place there
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
