"""Harvard's hyperspectral scenes: .mat files of 31 bands, 420 to 720 nm (Chakrabarti and Zickler, CVPR 2011)."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .errors import DataError
from .files.array_file import ArrayFile

BANDS, SIDE = 31, 1000
WHOLE_NUMBERS = 2**16 - 1


class Harvard:
    """The scenes of a folder, the top left 1000x1000 pixels of each as in the group's tables, read on access.

    Args:
        root: holds one .mat file a scene: `ref` (H, W, 31), and `lbl` (H, W), which is 0 where something moved.
        scenes: names without suffix; all by default.
        side: pixels of the square that is kept; scenes must be as large.

    Items are dictionaries: `name`, `gt` (31, side, side) float32 in [0, 1], and `mask` (side, side) bool or None.
    Values over 1 are taken for 16-bit digital numbers and divided by 65535; others stay as they are.

    Raises:
        DataError: at the start for missing folders and scenes; on access for unreadable files, missing keys, other
            shapes, NaN, and values outside the range.
    """

    def __init__(self, root: str | os.PathLike, scenes: tuple[str, ...] | None = None, side: int = SIDE) -> None:
        self.root, self.side = Path(root), side
        if not self.root.is_dir():
            raise DataError(self.root, "no such folder" if not self.root.exists() else "a file", "a folder of scenes")
        there = {p.stem: p for p in sorted(self.root.glob("*.mat")) if not p.name.startswith(".")}
        if not there:
            raise DataError(self.root, "no .mat files", "Harvard's scenes, one .mat file each")
        lacking = [s for s in scenes or () if s not in there]
        if lacking:
            raise DataError(self.root, f"no scene {lacking[0]}", f"one of {', '.join(there)}")
        self.files = {s: there[s] for s in scenes or there}
        self.scenes = tuple(self.files)

    def __len__(self) -> int:
        return len(self.scenes)

    def __iter__(self) -> Iterator[dict]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: int) -> dict:
        name = self.scenes[index]
        file = ArrayFile(self.files[name])
        if "ref" not in file:
            raise DataError(file.path, f"the keys {', '.join(k for k in file if not k.startswith('_'))}", "ref")
        cube = file.read("ref")
        if cube.ndim != 3 or cube.shape[2] != BANDS or min(cube.shape[:2]) < self.side or cube.dtype.kind not in "uif":
            expected = f"numbers of shape (H, W, {BANDS}), sides of at least {self.side}"
            raise DataError(file.path, f"ref, {cube.dtype} of shape {cube.shape}", expected)
        cube = np.moveaxis(cube[: self.side, : self.side], -1, 0).astype(np.float32)
        if not np.isfinite(cube).all():
            raise DataError(file.path, "NaN or infinity in ref", "finite values")
        least, most = float(cube.min()), float(cube.max())
        if least < 0 or most > WHOLE_NUMBERS:
            raise DataError(file.path, f"values from {least:g} to {most:g}", f"0 to 1, or 0 to {WHOLE_NUMBERS}")
        mask = file.read("lbl") if "lbl" in file else None
        if mask is not None:
            if mask.ndim != 2 or min(mask.shape) < self.side or mask.dtype.kind not in "buif":
                found = f"lbl, {mask.dtype} of shape {mask.shape}"
                raise DataError(file.path, found, f"numbers, sides of at least {self.side}")
            mask = mask[: self.side, : self.side] > 0
        return {"name": name, "gt": cube / WHOLE_NUMBERS if most > 1 else cube, "mask": mask}
