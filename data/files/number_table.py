"""Reads tables of numbers from text files that people or spreadsheets wrote, with any separator and decimal mark."""

import csv
import re
from pathlib import Path

import numpy as np

from data.errors import DataError, one_line

NUMBER = r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?"
MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
EXPECTED = "a table of numbers, one separator between them"
WAVES = re.compile(r"wave|lambda|λ|\bnm\b|µm|μm|\bum\b|band", re.IGNORECASE)  # names of a wavelength column
LEAST_WAVE = 100  # nanometres; smaller numbers are no wavelengths in nm


def read_table(path: Path) -> tuple[np.ndarray, list[str], list[str]]:
    """Read a table of numbers from a text file.

    The encoding may be UTF-8 with or without byte-order mark, or UTF-16. The separator may be a tab, a semicolon, a
    comma or blanks, and the decimal mark a point or a comma. Quotes, comments after #, a line of names, empty lines and
    empty columns at the end are accepted.

    Returns:
        The numbers (rows, columns) float64, notes on what was left out, and the names of the columns, if any.

    Raises:
        DataError: for a cell that is not a number and a line of another length (the message names the line), and for
            numbers with both points and commas.
    """
    text = re.sub(r"#[^\n]*", "", _decoded(path).replace("\r\n", "\n").replace("\r", "\n"))
    first = re.match(r"\s*sep=(.)\n", text)  # Excel's declaration of the separator
    text = text[first.end() :] if first else text
    problem: DataError | None = None
    for separator in [first[1]] if first else _separators(text):
        rows = _cells(text, separator)
        names = []
        if len(rows) > 1 and not any(_is_number(cell) for cell in rows[0][1]):
            names = rows.pop(0)[1]
        try:
            table = _numbers(path, rows, separator)
        except DataError as error:
            problem = problem or error
            continue
        notes = [f"a line of names left out ({one_line(', '.join(names), 60)})"] if names else []
        return table, notes, names
    raise problem or DataError(path, "no numbers", EXPECTED)


def without_wavelengths(path: Path, table: np.ndarray, names: list[str] | None = None) -> tuple[np.ndarray, list[str]]:
    """Return a response table without a first column of wavelengths in nanometres, and a note if one was left out.

    Args:
        path: the file, for messages.
        table: (rows, columns).
        names: names of the columns, if known.

    Raises:
        DataError: for a first column that looks like wavelengths or band numbers, but is not clearly wavelengths in nm.
    """
    if table.ndim != 2 or table.shape[1] < 2 or len(table) < 2 or table.dtype.kind not in "uif":
        return table, []
    first = table[:, 0].astype(np.float64)
    steps = np.diff(first)
    if (steps > 0).all() and first[0] > LEAST_WAVE:
        return table[:, 1:], [f"a first column of wavelengths left out ({first[0]:g} to {first[-1]:g})"]
    named = bool(names) and WAVES.search(names[0]) is not None if names else False
    if named or (np.allclose(steps, steps[0]) and steps[0] != 0 and np.abs(first).max() >= 1):
        found = f"a first column from {first[0]:g} to {first[-1]:g}, which looks like wavelengths or numbers of bands"
        raise DataError(path, found, "the response alone, (bands, channels), or wavelengths in nm, rising")
    return table, []


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    encoding = next((name for mark, name in MARKS if data.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in data:
        raise DataError(path, "bytes of value 0", "text in UTF-8 (in Excel: save as CSV UTF-8)")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("latin-1")  # names in a Western code page; numbers read the same


def _separators(text: str) -> list[str]:
    """Return the separators to try, the most likely first; "" stands for blanks."""
    for sure in ("\t", ";"):
        if sure in text:
            return [sure]
    return [",", ""] if "," in text else [""]


def _cells(text: str, separator: str) -> list[tuple[int, list[str]]]:
    """Return (line number, cells) of every line that is not empty, without empty columns at the end."""
    lines = text.split("\n")
    try:
        rows = [line.split() for line in lines] if not separator else list(csv.reader(lines, delimiter=separator))
    except csv.Error:  # a quote that is never closed, in a long file
        rows = [[line] for line in lines]
    numbered = [(at, [cell.strip() for cell in row]) for at, row in enumerate(rows, 1) if "".join(row).strip()]
    width = max((max(i for i, cell in enumerate(row, 1) if cell) for _, row in numbered), default=0)
    return [(at, row[:width]) for at, row in numbered]


def _is_number(cell: str) -> bool:
    return re.fullmatch(NUMBER, cell) is not None or cell.lower() in ("nan", "inf", "-inf")


def _numbers(path: Path, rows: list[tuple[int, list[str]]], separator: str) -> np.ndarray:
    cells = [cell for _, row in rows for cell in row]
    if not cells:
        raise DataError(path, "no numbers", EXPECTED)
    for at, row in rows:
        if odd := next((cell for cell in row if not _is_number(cell)), None):
            raise DataError(path, f"{odd!r} in line {at}", EXPECTED)
        if len(row) != len(rows[0][1]) or "" in row:
            found = f"{len([c for c in row if c])} numbers in line {at}"
            raise DataError(path, found, f"{len(rows[0][1])} as in line {rows[0][0]}")
    if any("," in cell for cell in cells):
        if any("." in cell for cell in cells):
            found = "points and commas in its numbers"
            raise DataError(path, found, "one decimal mark and no marks of thousands")
        cells = [cell.replace(",", ".") for cell in cells]
    return np.array([float(cell) for cell in cells]).reshape(len(rows), -1)
