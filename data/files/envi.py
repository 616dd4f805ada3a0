"""Reads ENVI rasters, the usual format of imaging spectrometers: a text header (.hdr) and a file of plain samples.

The fields are those of ENVI's documentation, "ENVI header files": samples, lines, bands, data type, interleave, byte
order, header offset, data ignore value, map info.
"""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data.errors import DataError, one_line

from .regular_file import check_regular
from .size_limits import check_stored

TYPES = {1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 12: "u2", 13: "u4", 14: "i8", 15: "u8"}  # "data type" -> NumPy's
AXES = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (2, 0, 1)}  # axes of the file's order that are bands, rows, columns
DATA = ("", ".dat", ".img", ".raw", ".bsq", ".bil", ".bip", ".bin")  # suffixes of files of samples, in this order
MOST_HEADER = 2**24  # bytes; headers of many bands have a few hundred kilobytes
SCALED = ("reflectance scale factor", "data gain values", "data offset values")
UTM, GEOGRAPHIC = ("utm", "wgs-84"), ("geographic lat/lon", "wgs-84")


class EnviImage(NamedTuple):
    """An ENVI raster.

    Attributes:
        array: (B, H, W), mapped from the file.
        tags: its "map info" as GeoTIFF tags, in the form of tifffile's "extratags"; empty without one.
        nodata: text of its "data ignore value"; None without one.
        notes: remarks on fields that are not applied.
    """

    array: np.ndarray
    tags: list[tuple]
    nodata: str | None
    notes: list[str]


def envi_files(path: Path) -> tuple[Path, Path] | None:
    """Return the header and the file of samples of an ENVI raster, of which `path` is one; None if it is neither.

    Raises:
        DataError: for a header without its file of samples.
    """
    if path.suffix.lower() == ".hdr":
        stem = path.with_suffix("")
        there = [file for end in DATA if (file := stem.with_name(stem.name + end)).is_file()]
        if not there:
            raise DataError(path, "a header alone", f"its samples beside it, {stem.name} or {stem.name}.dat")
        return path, there[0]
    if path.suffix.lower() not in DATA:
        return None
    for header in (path.with_name(path.name + ".hdr"), path.with_suffix(".hdr")):
        if header.is_file() and path.is_file():
            return header, path
    return None


def read_envi(header: Path, data: Path) -> EnviImage:
    """Return an ENVI raster; its samples stay on disk.

    Raises:
        DataError: for damaged headers, complex samples, and a file of samples that is shorter than its header says.
    """
    fields = _fields(header)
    sides = {name: _whole(header, fields, name, 1) for name in ("bands", "lines", "samples")}
    order, code = _whole(header, fields, "byte order", 0, 0), _whole(header, fields, "data type", 0)
    interleave = fields.get("interleave", "").lower()
    if code not in TYPES or interleave not in AXES or order not in (0, 1):
        found = f"data type {code}, interleave '{interleave[:8]}', byte order {order}"
        known = f"data type {', '.join(map(str, TYPES))}, interleave bsq, bil or bip, byte order 0 or 1"
        raise DataError(header, found, known)
    check_regular(data, "the samples of an ENVI header")
    dtype, offset = np.dtype("<>"[order] + TYPES[code]), _whole(header, fields, "header offset", 0, 0)
    axes = AXES[interleave]
    stored = [tuple(sides.values())[axes.index(axis)] for axis in range(3)]
    needed, there = offset + int(np.prod(stored, dtype=object)) * dtype.itemsize, data.stat().st_size
    if there < needed:
        raise DataError(data, f"{there} bytes", f"the {needed} that {header.name} declares")
    array = np.memmap(data, dtype, "r", offset, tuple(stored)).transpose(axes)
    scaled = [name for name in SCALED if name in fields]
    notes = [f"{one_line(header.name)} declares a {scaled[0]}: fused as stored."] if scaled else []
    tags = _map_tags(fields.get("map info", ""), header, notes)
    return EnviImage(array, tags, fields.get("data ignore value"), notes)


def _fields(header: Path) -> dict[str, str]:
    """Return the fields of a header: lower-case name -> text, of lists what is between the braces."""
    check_regular(header, "an ENVI header")
    check_stored(header, "an ENVI header", MOST_HEADER)
    text = header.read_bytes().decode("utf-8", "replace")
    if not text.lstrip("\ufeff").startswith("ENVI"):
        raise DataError(header, "another header", "an ENVI header, whose first line is ENVI")
    pairs = re.findall(r"^[ \t]*([^=\n;]+?)[ \t]*=[ \t]*(\{[^}]*\}|[^\n]*)", text, flags=re.M)
    return {name.lower(): value.strip().strip("{}").strip() for name, value in pairs}


def _whole(header: Path, fields: dict[str, str], name: str, least: int, default: int | None = None) -> int:
    text = fields.get(name, "" if default is None else str(default))
    if not re.fullmatch(r"\d{1,12}", text) or int(text) < least:
        raise DataError(header, f"{name} = {one_line(text, 20) or '(none)'}", f"a number of {least} or more")
    return int(text)


def _map_tags(text: str, header: Path, notes: list[str]) -> list[tuple]:
    """Return "map info" as GeoTIFF tags; what cannot be kept is added to `notes`.

    Its words are projection, reference pixel's column and row from 1 on, its x and y, pixel width and height, and for
    UTM zone and hemisphere; then the datum, and units=... and rotation=....
    """
    if not text:
        return []
    words = [word.strip() for word in text.split(",")]
    named = dict(word.lower().split("=", 1) for word in words if "=" in word)
    plain = [word for word in words if "=" not in word]
    try:
        column, row, x, y, width, height = map(float, plain[1:7])
        turned = float(named.get("rotation", 0))
    except ValueError:
        raise DataError(header, f"map info {one_line(text, 60)}", "projection and six numbers") from None
    if turned or not (width > 0 and height > 0):
        notes.append(f"{one_line(header.name)}: a turned grid, whose georeference is left out.")
        return []
    tags = [
        (33550, "d", 3, (width, height, 0.0), True),
        (33922, "d", 6, (column - 1, row - 1, 0.0, x, y, 0.0), True),
    ]
    key = _crs_key([word.lower() for word in plain])
    if key is None:
        notes.append(f"{one_line(header.name)}: the CRS {one_line(plain[0], 40)} is not read, only the grid.")
        return tags
    model = 1 if key[0] == 3072 else 2  # projected or geographic
    keys = (1, 1, 0, 3, 1024, 0, 1, model, 1025, 0, 1, 1, key[0], 0, 1, key[1])
    return [*tags, (34735, "H", len(keys), keys, True)]


def _crs_key(words: list[str]) -> tuple[int, int] | None:
    """Return GeoTIFF's key and EPSG code of WGS 84 in UTM or in degrees; None for another CRS."""
    if words[0] == UTM[0] and len(words) > 9 and words[9] == UTM[1] and words[7].isdigit() and 1 <= int(words[7]) <= 60:
        return 3072, (32600 if words[8].startswith("n") else 32700) + int(words[7])
    return (2048, 4326) if words[0] == GEOGRAPHIC[0] and GEOGRAPHIC[1] in words[7:] else None
