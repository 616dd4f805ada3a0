"""Files of prepared training patches (HDF5): written in chunks by `python -m data`, read patch by patch."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import h5py
import numpy as np

from data.errors import DataError
from data.files.array_file import ArrayFile
from data.files.atomic import whole_file
from data.files.sample_range import listed
from data.files.size_limits import check_disk

from .grid import check_sides

CHUNK = 64  # patches in memory at a time
H5_KEYS = {"gt": "GT", "base_image": "HSI_up", "lr": "LRHSI", "guide": "RGB"}  # keys of hyperspectral patches


class PatchSet(Protocol):
    """The interface of all sets in `data.patches`."""

    def __len__(self) -> int: ...

    def sample(self, index: int, rng: np.random.Generator | None) -> dict:
        """Return the arrays and the name of a sample, see `data.patches`."""


def write_patches(path: str | os.PathLike, source: PatchSet, keys: dict[str, str], scale: float, about: dict) -> int:
    """Write all samples of a patch set to a file, atomically.

    Args:
        path: the .h5 file; its folder must exist.
        source: a set of `data.patches`.
        keys: role in the sample -> key in the file. Arrays are written as (N, C, H, W) float32.
        scale: factor by which the arrays are multiplied: 65535 or 2047 for digital numbers, 1 to keep [0, 1].
        about: further keys with a number or a string (L, sensor, ratio).

    Returns:
        The number of patches.

    Raises:
        DataError: for a sample that cannot be read, or a disk that is full or not writable; no file is left then.
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
                # strings are written as character codes, as in MATLAB's files
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


class H5Patches:
    """Prepared hyperspectral patches: an H5 file with GT, HSI_up, LRHSI and RGB, (N, C, H, W), in [0, 1].

    Patches are read one by one; every process opens the file itself.

    Args:
        path: the file.

    Attributes:
        count: number of patches.
        bands, guide_bands: bands of GT and of RGB.
        ratio: resolution ratio of GT and LRHSI.
        sides: (H, W) of GT.

    Raises:
        DataError: when created, for missing keys and shapes that do not fit; on access, with the index, for NaN and
            values outside -0.05..1.05.
    """

    fixed = True  # the same samples in every epoch

    def __init__(self, path: str | os.PathLike) -> None:
        self.file = ArrayFile(path)
        missing = [key for key in H5_KEYS.values() if key not in self.file]
        if missing:
            raise DataError(self.file.path, f"no {missing[0]}", f"the keys {', '.join(H5_KEYS.values())}")
        shapes = {role: tuple(self.file[key].shape) for role, key in H5_KEYS.items()}
        gt = shapes["gt"]
        fits = all(len(s) == 4 and s[0] == gt[0] for s in shapes.values()) and shapes["base_image"] == gt
        if not fits or not gt[0] or shapes["guide"][2:] != gt[2:] or shapes["lr"][1] != gt[1]:
            found = ", ".join(f"{H5_KEYS[role]} {shape}" for role, shape in shapes.items())
            raise DataError(self.file.path, found, "(N, C, H, W), HSI_up as GT, RGB of its sides, LRHSI of its bands")
        self.count, self.bands, self.guide_bands, self.sides = gt[0], gt[1], shapes["guide"][1], gt[2:]
        self.ratio = gt[2] // max(shapes["lr"][2], 1)
        if self.ratio < 2 or any(side != low * self.ratio for side, low in zip(gt[2:], shapes["lr"][2:], strict=True)):
            found = f"GT of {gt[2]}x{gt[3]}, LRHSI of {shapes['lr'][2]}x{shapes['lr'][3]}"
            raise DataError(self.file.path, found, "one whole ratio of 2 or more for both sides")
        check_sides(self.file.path, *gt[2:])

    def __len__(self) -> int:
        return self.count

    def sample(self, index: int, rng: np.random.Generator | None = None) -> dict:
        """Return patch `index`, with the low-resolution patch as `lr`; `rng` is not used."""
        arrays = {}
        for role, key in H5_KEYS.items():
            array = np.asarray(self.file.read(key, index), np.float32)
            where = f"{self.file.path}: {key}[{index}]"
            if not np.isfinite(array).all():
                raise DataError(where, "NaN or infinity", "finite values")
            if array.min() < -0.05 or array.max() > 1.05:
                raise DataError(where, f"values {listed(array)}", "0 to 1")
            arrays[role] = array
        return {"name": f"{self.file.path.name}[{index}]", **arrays}
