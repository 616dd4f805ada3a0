"""Writing training patches to an H5 file, a chunk at a time: `python -m data hmf ...`, `python -m data ps ...`."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import h5py
import numpy as np

from data.errors import DataError
from data.files.atomic import whole_file
from data.files.space import check_disk

CHUNK = 64  # patches in memory at a time


class PatchSet(Protocol):
    """What the sets of `data.patches` have in common."""

    def __len__(self) -> int: ...

    def sample(self, index: int, rng: np.random.Generator | None) -> dict:
        """Its arrays and its name."""


def write_patches(path: str | os.PathLike, source: PatchSet, keys: dict[str, str], scale: float, about: dict) -> int:
    """Write every sample of a patch set, complete or not at all.

    Args:
        path: the .h5 file; its folder must exist.
        source: a set of `data.patches`.
        keys: role of the sample -> name in the file. Arrays are (N, C, H, W) float32.
        scale: what values are multiplied by (65535 or 2047 for digital numbers, 1 to keep [0, 1]).
        about: further names with a number or a string (L, sensor, ratio).

    Returns:
        The number of patches.

    Raises:
        DataError: for a sample that cannot be read; nothing is written then.
    """
    path = Path(path)
    try:
        with whole_file(path) as whole, h5py.File(whole, "w") as file:
            for first, arrays in _chunks(source, list(keys)):
                if first == 0:
                    needed = sum(array[0].nbytes for array in arrays.values()) * len(source)
                    check_disk(path.parent, needed, "the patches", path)
                for role, array in arrays.items():
                    if first == 0:
                        shape = (len(source), *array.shape[1:])
                        file.create_dataset(keys[role], shape, np.float32, chunks=(1, *array.shape[1:]))
                    file[keys[role]][first : first + len(array)] = array * np.float32(scale)
            for name, value in about.items():
                # a string as the character codes that MATLAB's own files hold
                file[name] = np.frombuffer(value.encode(), np.uint8) if isinstance(value, str) else value
    except FloatingPointError:
        raise
    except RuntimeError as error:  # h5py hides a full disk behind its own errors
        why = " ".join(str(error).split())[:100]
        raise DataError(path, f"no room or no right to write ({why})", "a folder with free space") from None
    return len(source)


def _chunks(source: PatchSet, roles: Sequence[str]) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    for first in range(0, len(source), CHUNK):
        samples = [source.sample(i, None) for i in range(first, min(first + CHUNK, len(source)))]
        yield first, {role: np.stack([sample[role] for sample in samples]) for role in roles}
