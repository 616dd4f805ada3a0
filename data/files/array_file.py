"""Named arrays of one file: HDF5, MATLAB v7.3 (HDF5 with the axes reversed) and MATLAB v5, behind one face."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from math import prod
from pathlib import Path

import h5py
import numpy as np
import scipy

from data.errors import DataError, one_line

from .hdf5_links import own_datasets
from .matlab5 import is_matlab5, read_matlab5
from .size_limits import check_declared

SUFFIXES = (".h5", ".hdf5", ".mat")


class Reversed:
    """A MATLAB v7.3 dataset seen with MATLAB's order of axes; index with one integer, or read all with [...]."""

    def __init__(self, dataset: h5py.Dataset) -> None:
        self.dataset, self.dtype = dataset, dataset.dtype
        self.shape, self.ndim = dataset.shape[::-1], dataset.ndim

    def __getitem__(self, index: object) -> np.ndarray:
        if index is ...:
            return self.dataset[...].T
        return self.dataset[..., index].T


class ArrayFile:
    """The numeric arrays of a file by name: `file["gt"]` has shape, dtype and [index]; HDF5 data stay on disk.

    HDF5 handles are opened on first use in each process, so that loader workers never share one.

    Raises:
        DataError: for a file that is missing, truncated or of another type.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        self._content: dict | None = None
        self._process = os.getpid()
        if not self.path.is_file():
            found = "a folder" if self.path.is_dir() else "no such file"
            raise DataError(self.path, found, f"a file ending in {', '.join(SUFFIXES)}")
        self.content  # noqa: B018  opened now, so that a bad file is known at the door

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_content": None}

    @property
    def content(self) -> dict:
        """Name -> array, opened in this process."""
        if self._content is None or self._process != os.getpid():
            self._process = os.getpid()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    self._content = _open(self.path)
            except DataError:
                raise
            except Exception as error:  # h5py and scipy.io raise many types on damaged files
                why = one_line(error, 100) or type(error).__name__
                raise DataError(self.path, f"no readable HDF5 or MATLAB file ({why})", "a complete file") from None
        return self._content

    def __contains__(self, key: str) -> bool:
        return key in self.content

    def __iter__(self) -> Iterator[str]:
        return iter(self.content)

    def __getitem__(self, key: str) -> np.ndarray | h5py.Dataset | Reversed:
        return self.content[key]

    def read(self, key: str, index: int | None = None) -> np.ndarray:
        """All of an array, or its part `index` along the first axis."""
        array, at = self[key], key if index is None else f"{key}[{index}]"
        shape = array.shape if index is None else array.shape[1:]
        try:
            check_declared(self.path, f"{at} of shape {shape}", prod(shape) * array.dtype.itemsize)
            return np.asarray(array[...] if index is None else array[index])
        except DataError:
            raise
        # h5py and NumPy raise many types on damaged files, and for what memory does not hold.
        except Exception as error:
            why = one_line(error, 100) or type(error).__name__
            raise DataError(self.path, f"unreadable {at} ({why})", "a complete file that fits into memory") from None

    def text(self, key: str) -> str | None:
        """A short string (a sensor's name), or None."""
        if key not in self:
            return None
        value = self.read(key)
        if value.dtype.kind == "u":  # v7.3 keeps characters as numbers
            codes = value.ravel().tolist()
            return "".join(map(chr, codes)) if codes and all(32 <= c < 127 for c in codes) else None
        return str(value.ravel()[0]) if value.dtype.kind == "U" and value.size else None

    def number(self, key: str) -> float | None:
        """A scalar, or None."""
        if key not in self:
            return None
        value = self.read(key)
        return float(value.ravel()[0]) if value.size == 1 and value.dtype.kind in "uif" else None


def read_npy(path: Path, mapped: bool = False) -> np.ndarray:
    """The array of a .npy file, mapped into memory or read.

    Raises:
        DataError: for a damaged file, one of objects (nothing in a file is run), and a .npz archive.
    """
    try:
        array = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except Exception as error:  # NumPy raises SyntaxError, TokenError, BadZipFile, ... on damaged files
        raise DataError(path, f"no readable .npy file ({one_line(error, 100)})", "a complete file") from None
    if not isinstance(array, np.ndarray):
        array.close()
        raise DataError(path, "an archive of arrays (.npz)", "a .npy file of one array")
    return array


def _open(path: Path) -> dict:
    with path.open("rb") as file:
        head = file.read(128)
    if path.suffix.lower() == ".mat" and not h5py.is_hdf5(path):
        if is_matlab5(head):
            return read_matlab5(path)
        if 0 not in head[:4]:
            raise ValueError("no MATLAB header")
        return {k: v for k, v in scipy.io.loadmat(path).items() if isinstance(v, np.ndarray)}  # v4
    sets = own_datasets(path, h5py.File(path, "r"))
    if head.startswith(b"MATLAB 7.3") or any("MATLAB_class" in v.attrs for v in sets.values()):
        return {k: Reversed(v) for k, v in sets.items()}
    return sets
