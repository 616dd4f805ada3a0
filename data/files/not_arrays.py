"""Entries of MATLAB and HDF5 files that are not arrays: they are named in messages, with a way to convert them."""

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

import h5py

MOST_FIELDS = 8  # names that a message shows
REMEDIES = {
    "struct": "in MATLAB s = load('FILE.mat'); t = s.{name}; save('plain.mat', '-struct', 't')",
    "cell": "in MATLAB load('FILE.mat'); {name} = {name}{{1}}; save('plain.mat')",
    "sparse matrix": "in MATLAB load('FILE.mat'); {name} = full({name}); save('plain.mat')",
    "object": "numbers or char: {name} = double({name}), table2array({name}) or char({name}) in MATLAB, saved again",
    "group": "at the top of the file, not in a group",
}


class NotArray(NamedTuple):
    """An entry that is not an array.

    Attributes:
        kind: a key of `REMEDIES`.
        fields: names of its fields, at most one more than a message shows; empty if it has none.
    """

    kind: str
    fields: tuple[str, ...] = ()

    def found(self, name: str) -> str:
        """Return a description for messages: "data, a struct (I_MS, I_PAN)"."""
        more = ", ..." if len(self.fields) > MOST_FIELDS else ""
        inside = f" ({', '.join(self.fields[:MOST_FIELDS])}{more})" if self.fields else ""
        return f"{name}, a{'n' * (self.kind[0] in 'aeiou')} {self.kind}{inside}"

    def remedy(self, name: str) -> str:
        """Return, for messages, how to convert the entry of this name to an array."""
        return REMEDIES[self.kind].format(name=name)


def few(names: Iterable) -> tuple[str, ...]:
    """Return the first names as strings, at most one more than a message shows: one more makes it end in "..."."""
    first = islice(names, MOST_FIELDS + 1)
    return tuple(name if isinstance(name, str) else bytes(name).decode("utf-8", "replace") for name in first)


def of_hdf5(item: h5py.Dataset | h5py.Group, matlab: bool) -> NotArray | None:
    """Return the kind of an item of an HDF5 file that is not an array, or None for an array.

    Args:
        item: an item at the top of the file.
        matlab: whether MATLAB (v7.3) wrote the file; its cells are references and its structures are groups.
    """
    if isinstance(item, h5py.Group):
        if matlab and "MATLAB_sparse" in item.attrs:
            return NotArray("sparse matrix")
        return NotArray("struct" if matlab else "group", few(item))
    if item.id.get_type().get_class() in (h5py.h5t.REFERENCE, h5py.h5t.VLEN):
        return NotArray("cell" if matlab else "object")
    return NotArray("object") if matlab and "MATLAB_object_decode" in item.attrs else None
