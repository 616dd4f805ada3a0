"""The named arrays of a file, with one interface for HDF5, MATLAB v7.3 (HDF5 with reversed axes), and MATLAB v4, v5."""

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

from .hdf5_chunks import check_chunks, unpacked_at_once
from .hdf5_links import own_items
from .matlab5 import is_matlab5, read_matlab5
from .not_arrays import MOST_FIELDS, NotArray, of_hdf5
from .packed_numbers import check_plain
from .regular_file import check_regular
from .size_limits import check_declared, check_packed

SUFFIXES = (".h5", ".hdf5", ".mat")


class Reversed:
    """A MATLAB v7.3 dataset with MATLAB's order of axes.

    It accepts two indices: an integer along the first axis, or `...` for the whole array.
    """

    def __init__(self, dataset: h5py.Dataset) -> None:
        self.dataset, self.dtype = dataset, dataset.dtype
        self.shape, self.ndim = dataset.shape[::-1], dataset.ndim

    def __getitem__(self, index: object) -> np.ndarray:
        if index is ...:
            return self.dataset[...].T
        return self.dataset[..., index].T


class ArrayFile:
    """The arrays of a file by name. `file["gt"]` has `shape` and `dtype` and can be indexed; HDF5 data stay on disk.

    HDF5 handles are opened on first use in each process, so that loader workers never share one.

    Args:
        path: the .h5, .hdf5 or .mat file.

    Attributes:
        path: the file.
        others: name -> `NotArray` for entries that are not arrays.

    Raises:
        DataError: for a file that is missing, truncated or of another type.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(path)
        self._content: dict | None = None
        self.others: dict[str, NotArray] = {}
        self._process = os.getpid()
        check_regular(self.path, f"a file ending in {', '.join(SUFFIXES)}")
        self.content  # noqa: B018  opens the file now, so that a bad one is refused here

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_content": None}

    @property
    def content(self) -> dict:
        """The arrays, name -> array, opened in this process."""
        if self._content is None or self._process != os.getpid():
            self._process = os.getpid()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    self._content, self.others = _open(self.path)
            except DataError:
                raise
            except Exception as error:  # h5py and scipy.io raise many types on damaged files
                why = one_line(error, 100) or type(error).__name__
                raise DataError(self.path, f"no readable HDF5 or MATLAB file ({why})", "a complete file") from None
        return self._content

    def __contains__(self, key: str) -> bool:
        """Whether there is an array of this name. Raises DataError if the name belongs to a cell, a structure, ..."""
        if key in self.content:
            return True
        if key in self.others:
            raise self.lacks(f"{key} as a plain array")
        return False

    def __iter__(self) -> Iterator[str]:
        return iter(self.content)

    def __getitem__(self, key: str) -> np.ndarray | h5py.Dataset | Reversed:
        array = self.content[key]
        try:
            needed = prod(array.shape) * array.dtype.itemsize
        except Exception as error:  # h5py raises many types for dtypes that NumPy lacks
            raise DataError(self.path, f"unreadable {key} ({one_line(error, 100)})", "numbers") from None
        check_packed(self.path, f"{key} of shape {array.shape}", needed)
        return array

    def lacks(self, expected: str) -> DataError:
        """Return the error for a missing array. It lists the file's entries and how to convert one to an array.

        Args:
            expected: text of the message; its first word is the name of the missing array.
        """
        names = [name for name in self.content if not name.startswith("__")]
        found, remedy = f"the keys {', '.join(names[:MOST_FIELDS]) or '(none)'}", ""
        if self.others:
            wanted = expected.split(maxsplit=1)[0]  # the name that is missing
            name = wanted if wanted in self.others else next(iter(self.others))
            remedy = f": {self.others[name].remedy(name)}"
            shown = [name, *(n for n in self.others if n != name)][:MOST_FIELDS]
            found += " and " + "; ".join(self.others[n].found(n) for n in shown)
        return DataError(self.path, found, expected + remedy)

    def read(self, key: str, index: int | None = None) -> np.ndarray:
        """Return a whole array, or its entry `index` along the first axis.

        Raises:
            DataError: for a damaged array, one that does not fit into memory, and packed or missing numbers.
        """
        array, at = self[key], key if index is None else f"{key}[{index}]"
        shape = array.shape if index is None else array.shape[1:]
        try:
            self._check_size(key, at, shape, index)
            values = np.asarray(array[...] if index is None else array[index])
            dataset = array.dataset if isinstance(array, Reversed) else array
            if isinstance(dataset, h5py.Dataset):
                check_plain(self.path, at, dataset, values)
            return values
        except DataError:
            raise
        # h5py and NumPy raise many types on damaged files, and if memory is short.
        except Exception as error:
            why = one_line(error, 100) or type(error).__name__
            raise DataError(self.path, f"unreadable {at} ({why})", "a complete file that fits into memory") from None

    def _check_size(self, key: str, at: str, shape: tuple[int, ...], index: int | None) -> None:
        """Raise DataError if reading this shape needs more memory than is free or than an undamaged file can need."""
        array = self[key]
        needed = prod(shape) * array.dtype.itemsize
        dataset = array.dataset if isinstance(array, Reversed) else array
        if isinstance(dataset, h5py.Dataset):
            needed = max(needed, unpacked_at_once(dataset))
        check_declared(self.path, f"{at} of shape {shape}", needed)
        if isinstance(dataset, h5py.Dataset):
            check_chunks(self.path, key, dataset, index, axis=dataset.ndim - 1 if dataset is not array else 0)

    def text(self, key: str) -> str | None:
        """Return the string stored as `key` (for example a sensor's name), or None if there is none."""
        if key not in self:
            return None
        value = self.read(key)
        if value.dtype.kind == "u":  # v7.3 stores characters as numbers
            codes = value.ravel().tolist()
            return "".join(map(chr, codes)) if codes and all(32 <= c < 127 for c in codes) else None
        return str(value.ravel()[0]) if value.dtype.kind == "U" and value.size else None

    def number(self, key: str) -> float | None:
        """Return the scalar stored as `key` as a float, or None if there is none."""
        if key not in self:
            return None
        value = self.read(key)
        return float(value.ravel()[0]) if value.size == 1 and value.dtype.kind in "uif" else None


def read_npy(path: Path, mapped: bool = False) -> np.ndarray:
    """Return the array of a .npy file, read into memory or, if `mapped`, as a read-only memory map.

    Raises:
        DataError: for a damaged file, an array of objects (no code in a file is run), a .npz archive, and an array that
            does not fit into memory.
    """
    check_regular(path, "a .npy file")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)  # refuses a file that is too short
    except Exception as error:  # NumPy raises SyntaxError, TokenError, BadZipFile, ... on damaged files
        raise DataError(path, f"no readable .npy file ({one_line(error, 100)})", "a complete file") from None
    if not isinstance(array, np.ndarray):
        array.close()
        raise DataError(path, "an archive of arrays (.npz)", "a .npy file of one array")
    if mapped:
        return array
    check_declared(path, f"an array of shape {array.shape}", array.nbytes)
    return np.array(array, order="K")


def _open(path: Path) -> tuple[dict, dict[str, NotArray]]:
    """Return the arrays of a file by name, and its other entries by name."""
    others: dict[str, NotArray] = {}
    with path.open("rb") as file:
        head = file.read(128)
    if path.suffix.lower() == ".mat" and not h5py.is_hdf5(path):
        if is_matlab5(head):
            return read_matlab5(path, others), others
        if 0 not in head[:4]:
            raise ValueError("no MATLAB header")
        check_declared(path, "arrays of MATLAB v4", path.stat().st_size)
        return {k: v for k, v in scipy.io.loadmat(path).items() if isinstance(v, np.ndarray)}, others  # v4
    items = own_items(path, h5py.File(path, "r"))
    matlab = head.startswith(b"MATLAB 7.3") or any("MATLAB_class" in item.attrs for item in items.values())
    kinds = {name: of_hdf5(item, matlab) for name, item in items.items()}
    others = {name: kind for name, kind in kinds.items() if kind is not None and not name.startswith("#")}
    sets = {name: item for name, item in items.items() if kinds[name] is None}
    return {name: Reversed(item) for name, item in sets.items()} if matlab else sets, others
