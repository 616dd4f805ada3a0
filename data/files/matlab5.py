"""Reads MATLAB v5 files: arrays of numbers and characters by name. Cells, structures and sparse arrays are only named.

SciPy's reader is not used, because a damaged type number makes it read beyond its tables, and the process crashes.
Source: MAT-File Format, The MathWorks, 2019 (chapter 1).
"""

import zlib
from math import prod
from pathlib import Path
from typing import Literal

import numpy as np

from .not_arrays import NotArray, few
from .size_limits import check_declared

Order = Literal["<", ">"]
HEADER = 128
ORDERS: dict[bytes, Order] = {b"IM": "<", b"MI": ">"}
MATRIX, COMPRESSED = 14, 15
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
TEXTS = {16: "utf-8", 17: "utf-16", 18: "utf-32"}
CHARACTERS, NUMERIC = 4, range(6, 16)  # classes of arrays
STRUCT, OPAQUE = 2, 17
KINDS = {1: "cell", STRUCT: "struct", 3: "object", 5: "sparse matrix"}
COMPLEX = 8  # flag of complex numbers
FIRST = 4096  # compressed bytes that suffice to decompress the first eight
LONGEST_TEXT = 2**20  # bytes; a longer text is no name or number, and takes many times as much memory


def is_matlab5(head: bytes) -> bool:
    """Whether these first bytes of a file, 128 or more, are the header of MATLAB v5."""
    return head[HEADER - 2 : HEADER] in ORDERS and 0 not in head[:4]


def read_matlab5(path: Path, others: dict[str, NotArray] | None = None) -> dict[str, np.ndarray]:
    """Return the arrays of a file by name.

    Numbers have the type in which they are stored (MATLAB stores whole doubles in fewer bytes). Texts are arrays of one
    string per row.

    Args:
        path: the file.
        others: a dictionary that receives the entries that are not arrays, by name.

    Raises:
        ValueError: for a damaged file; zlib.error for a damaged compressed part.
        DataError: if all arrays together exceed the limit of `size_limits.check_declared`; nothing is decompressed
            then.
    """
    check_declared(path, "a file of arrays", path.stat().st_size)
    data = memoryview(path.read_bytes())
    order = ORDERS[bytes(data[HEADER - 2 : HEADER])]
    parts, at = [], HEADER
    while at < len(data):
        kind, content, at = _element(data, at, order)
        if kind == COMPRESSED:
            at -= -len(content) % 8  # compressed parts are not padded
        parts.append((kind, content))
    sizes = [_declared(content, order) if kind == COMPRESSED else len(content) for kind, content in parts]
    check_declared(path, f"{len(parts)} arrays", sum(sizes))
    arrays = {}
    for (kind, content), size in zip(parts, sizes, strict=True):
        if kind == COMPRESSED:
            kind, content, _ = _element(_unpacked(content, size), 0, order)  # noqa: PLW2901
        if kind != MATRIX:
            raise ValueError(f"an element of type {kind}, no array")
        name, array = _array(content, order)
        if not name or array is None:  # an array without a name belongs to functions
            continue
        if not isinstance(array, NotArray):
            arrays[name] = array
        elif others is not None:
            others[name] = array
    return arrays


def _declared(content: memoryview, order: Order) -> int:
    """Return the bytes that a compressed element declares to decompress to."""
    tag = zlib.decompressobj().decompress(content[:FIRST], 8)
    if len(tag) < 8:
        raise ValueError("a compressed part that holds nothing")
    kind, size = (int(n) for n in np.frombuffer(tag, f"{order}u4"))
    return 8 if kind >> 16 else 8 + size


def _unpacked(content: memoryview, size: int) -> memoryview:
    """Return a decompressed element, which must have the declared size; memory never holds more than that."""
    stream = zlib.decompressobj()
    plain = stream.decompress(content, size)
    if not stream.eof and (stream.decompress(stream.unconsumed_tail, 1) or not stream.eof):
        raise ValueError(f"a compressed part of other than the {size} bytes that it declares")
    return memoryview(plain)


def _element(data: memoryview, at: int, order: Order) -> tuple[int, memoryview, int]:
    """Return type, content and end of the element that begins at `at`."""
    if at + 8 > len(data):
        raise ValueError("it ends in the middle of an array")
    kind, size = (int(n) for n in np.frombuffer(data, f"{order}u4", 2, at))
    if kind >> 16:  # a small element, with its content in the second half of its tag
        kind, size, start = kind & 0xFFFF, kind >> 16, at + 4
        if size > 4:
            raise ValueError(f"a small element of {size} bytes")
        return kind, data[start : start + size], at + 8
    start, end = at + 8, at + 8 + size
    if end > len(data):
        raise ValueError(f"it ends {end - len(data)} bytes before an array does")
    return kind, data[start:end], end + -size % 8


def _array(data: memoryview, order: Order) -> tuple[str, np.ndarray | NotArray | None]:
    """Return name and array, or `NotArray` for other MATLAB classes; None for unknown ones and long texts."""
    _, flags, at = _element(data, 0, order)
    word = int(_numbers(6, flags, order)[0]) if len(flags) == 8 else -1
    kind = word & 0xFF
    if kind == OPAQUE:  # tables, strings: their name comes next
        return bytes(_element(data, at, order)[1]).decode("utf-8", "replace"), NotArray("object")
    if kind != CHARACTERS and kind not in NUMERIC and kind not in KINDS:
        return "", None
    _, sides, at = _element(data, at, order)
    shape = tuple(int(n) for n in _numbers(5, sides, order))
    _, name, at = _element(data, at, order)
    title = bytes(name).decode("utf-8", "replace")
    if kind in KINDS:
        return title, NotArray(KINDS[kind], _fields(data, at, order) if kind == STRUCT else ())
    stored, content, at = _element(data, at, order)
    if kind == CHARACTERS:
        if len(content) > LONGEST_TEXT:
            return "", None
        return title, _text(stored, content, shape, order)
    values = _numbers(stored, content, order)
    if word >> 8 & COMPLEX:
        values = values + 1j * _numbers(*_element(data, at, order)[:2], order)
    if min(shape, default=-1) < 0 or prod(shape) != values.size:
        raise ValueError(f"{values.size} numbers for {title} of shape {shape}")
    return title, values.reshape(shape, order="F")


def _fields(data: memoryview, at: int, order: Order) -> tuple[str, ...]:
    """Return the field names of a structure, each stored in a fixed number of bytes and padded with zeros."""
    kind, sizes, at = _element(data, at, order)
    size = int(_numbers(kind, sizes, order)[0]) if len(sizes) else 0
    names = bytes(_element(data, at, order)[1])
    return few(names[i : i + size].split(b"\0")[0] for i in range(0, len(names), size)) if size > 0 else ()


def _numbers(kind: int, content: memoryview, order: Order) -> np.ndarray:
    if kind not in NUMBERS:
        raise ValueError(f"numbers of type {kind}")
    return np.frombuffer(content, np.dtype(order + NUMBERS[kind]).newbyteorder(order))


def _text(kind: int, content: memoryview, shape: tuple[int, ...], order: Order) -> np.ndarray:
    """Return a character array as an array of one string per row."""
    if kind in TEXTS:
        width = "" if kind == 16 else "-le" if order == "<" else "-be"
        letters = bytes(content).decode(TEXTS[kind] + width, "replace")
    else:
        letters = "".join(chr(code) for code in _numbers(kind, content, order).tolist() if 0 <= code < 0x110000)
    rows = shape[0] if len(shape) == 2 else 0
    if not rows or rows * shape[1] != len(letters):
        return np.array([letters] if letters else [], dtype=np.str_)
    return np.array([letters[row::rows] for row in range(rows)])
