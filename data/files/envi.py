"""Reads ENVI rasters, the usual format of imaging spectrometers: a text header (.hdr) and a file of plain samples.

The fields are those of ENVI's documentation, "ENVI header files": samples, lines, bands, data type, interleave, byte
order, header offset, file compression, data ignore value, map info, wavelength, reflectance scale factor.
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
SCALE = "reflectance scale factor"
MOST_HEADER = 2**24  # bytes; headers of many bands have a few hundred kilobytes
SCALED = ("data gain values", "data offset values")
NANOMETRES = {"": 1.0, "nanometers": 1.0, "nm": 1.0, "micrometers": 1e3, "um": 1e3, "µm": 1e3}
WGS84 = {"wgs-84", "wgs84", "wgs_1984", "wgs 84", "d_wgs_1984"}
UNITS = {"utm": {"meters", "metres", "m"}, "geographic lat/lon": {"degrees"}}  # others are not read


class EnviImage(NamedTuple):
    """An ENVI raster.

    Attributes:
        array: (B, H, W), mapped from the file.
        tags: its "map info" as GeoTIFF tags, in the form of tifffile's "extratags"; empty without one.
        nodata: text of its "data ignore value"; None without one.
        one: its "reflectance scale factor", the stored number that stands for a reflectance of 1; None without one.
        wavelengths: of the bands in nanometres, increasing; empty without them.
        notes: remarks on what was changed, and on fields that are not applied.
    """

    array: np.ndarray
    tags: list[tuple]
    nodata: str | None
    one: float | None
    wavelengths: list[float]
    notes: list[str]


def envi_files(path: Path) -> tuple[Path, Path] | None:
    """Return the header and the file of samples of an ENVI raster, of which `path` is one; None if it is neither.

    Raises:
        DataError: for a header without its file of samples, or with several.
    """
    if path.suffix.lower() == ".hdr":
        stem = path.with_suffix("")
        names = {f"{stem.name}{end}".lower() for end in DATA}
        beside = sorted(path.parent.iterdir()) if path.is_file() else []
        there = [file for file in beside if file.name.lower() in names and file.is_file()]
        if len(there) != 1:
            found = " and ".join(one_line(file.name) for file in there) or "a header alone"
            raise DataError(path, found, f"one file of its samples beside it, {stem.name} or {stem.name}.dat")
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
    if fields.get("file compression", "0") != "0":
        raise DataError(header, "compressed samples", "file compression = 0")
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
    array: np.ndarray = np.memmap(data, dtype, "r", offset, tuple(stored)).transpose(axes)
    scaled = [name for name in SCALED if name in fields]
    notes = [f"{one_line(header.name)} declares {scaled[0]}: fused as stored."] if scaled else []
    tags = _map_tags(fields.get("map info", ""), header, notes)
    wavelengths = _wavelengths(header, fields, sides["bands"], notes)
    if len(wavelengths) > 1 and wavelengths[0] > wavelengths[-1]:
        array, wavelengths = array[::-1], wavelengths[::-1]
        notes.append(f"{one_line(header.name)} has its bands from long to short wavelengths: turned around.")
    nodata, factor = (_number(header, fields, name) for name in ("data ignore value", SCALE))
    if factor is not None and not 0 < factor < float("inf"):
        raise DataError(header, f"{SCALE} = {factor:g}", "a number over 0")
    return EnviImage(array, tags, None if nodata is None else fields["data ignore value"], factor, wavelengths, notes)


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


def _number(header: Path, fields: dict[str, str], name: str) -> float | None:
    """Return a field as a number; None without it."""
    if name not in fields:
        return None
    try:
        return float(fields[name])
    except ValueError:
        raise DataError(header, f"{name} = {one_line(fields[name], 20) or '(none)'}", "a number") from None


def _wavelengths(header: Path, fields: dict[str, str], bands: int, notes: list[str]) -> list[float]:
    """Return the wavelengths of the bands in nanometres, as stored; empty without them, or in an unknown unit.

    If there is not one number per band, there is a note, and they are not used.
    """
    unit = NANOMETRES.get(fields.get("wavelength units", "").lower())
    if "wavelength" not in fields or unit is None:
        return []
    try:
        found = [float(word) * unit for word in fields["wavelength"].split(",")]
    except ValueError:
        found = []
    if len(found) != bands or not np.isfinite(found).all():
        notes.append(f"{one_line(header.name)}: its wavelengths are not {bands} numbers, one per band: not used.")
        return []
    return found


def _map_tags(text: str, header: Path, notes: list[str]) -> list[tuple]:
    """Return "map info" as GeoTIFF tags; what cannot be kept is added to `notes`.

    Its words are projection, reference pixel's column and row from 1 on, its x and y, pixel width and height, and for
    UTM zone and hemisphere; then the datum, and units=... and rotation=....
    """
    if not text or text.lower().startswith("arbitrary"):  # pixels, no place
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
    key = _crs_key([word.lower() for word in plain], named.get("units", ""))
    if key is None:
        notes.append(f"{one_line(header.name)}: the CRS of '{one_line(text, 90)}' is not read, only the grid.")
        return tags
    model = 1 if key[0] == 3072 else 2  # projected or geographic
    keys = (1, 1, 0, 3, 1024, 0, 1, model, 1025, 0, 1, 1, key[0], 0, 1, key[1])
    return [*tags, (34735, "H", len(keys), keys, True)]


def _crs_key(words: list[str], units: str) -> tuple[int, int] | None:
    """Return GeoTIFF's key and EPSG code of WGS 84 in UTM or in degrees; None for another CRS or unit."""
    if not WGS84 & set(words[7:]) or (units and units.strip() not in UNITS.get(words[0], ())):
        return None
    if words[0] == "utm" and re.fullmatch(r"\d{1,2}", words[7]) and 1 <= int(words[7]) <= 60 and len(words) > 9:
        return 3072, (32600 if words[8].startswith("n") else 32700) + int(words[7])
    return (2048, 4326) if words[0] == "geographic lat/lon" else None
