"""Reads the spectral response that --srf names."""

from pathlib import Path

import numpy as np

from data.errors import DataError, one_line
from data.files.array_file import ArrayFile, read_npy
from data.files.number_table import read_table, without_wavelengths
from data.files.regular_file import check_regular
from data.files.size_limits import check_stored
from models.config import checked_srf

from .errors import UsageError

LARGEST = 2**20  # bytes of a table; 1024 bands take 50 KB


def read_srf(path: Path) -> np.ndarray:
    """Return the response of `read_response`, (bands, channels) float64, and print its notes."""
    table, notes = read_response(path)
    for note in notes:
        print(note)
    return table


def read_response(path: Path) -> tuple[np.ndarray, list[str]]:
    """Read a spectral response from a .csv, .txt, .npy or .mat file (key R or srf).

    Returns:
        The response (bands, channels) float64, and notes on what was left out.

    Raises:
        DataError: for files that cannot be read.
        UsageError: for tables that are not a spectral response.
    """
    check_regular(path, "a spectral response (.csv, .npy, .mat)")
    notes, names = list[str](), list[str]()
    try:
        if path.suffix.lower() in (".mat", ".h5"):
            file = ArrayFile(path)
            key = next((k for k in ("R", "srf", "SRF") if k in file), None)
            if key is None:
                raise file.lacks("R or srf")
            table = file.read(key)
        elif path.suffix.lower() == ".npy":
            table = read_npy(path)
        else:
            check_stored(path, "a spectral response", LARGEST)
            table, notes, names = read_table(path)
        table, more = without_wavelengths(path, table, names)
    except DataError:
        raise
    except ValueError as error:
        raise DataError(path, one_line(error, 160), "a (bands, channels) table of numbers") from None
    try:
        return np.array(checked_srf(table)), [f"{path}: {note}" for note in (*notes, *more)]
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None
