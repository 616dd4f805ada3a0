"""Harvard's hyperspectral scenes: .mat files of 31 bands, 420 to 720 nm (Chakrabarti and Zickler, CVPR 2011)."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .errors import DataError
from .files.array_file import ArrayFile
from .files.folders import files_in
from .files.sample_range import USED, are_digital_numbers, listed

BANDS, SIDE = 31, 1000
DEPTH = 16  # bits of digital numbers
LEAST = int(USED * 2**16)  # scenes whose maximum is smaller may have fewer than 16 bits
OVERSHOOT = 0.05  # images in [0, 1] may exceed 1 by this


class Harvard:
    """The scenes of a folder, read on access and cropped to the top left 1000x1000 pixels.

    The tables of the DCINN authors' group use this crop.

    Args:
        root: a folder with one .mat file per scene: `ref` (H, W, 31), and `lbl` (H, W), 0 for pixels with motion.
        scenes: names without suffix; all by default.
        side: side in pixels of the crop; scenes must be at least as large.
        bits: bit depth of digital numbers. By default 8 for one-byte samples, else 16; then a scene that never reaches
            16384 is refused, because it may have fewer bits.

    Items are dictionaries: `name`, `gt` (31, side, side) float32 in [0, 1], and `mask` (side, side) bool, False for
    pixels with motion, or None if the file has no `lbl`. Floats of at most 1.05 are taken as images in [0, 1] and
    clipped. Integers, and floats of which most exceed 1, are digital numbers: they are divided by the largest number of
    their depth.

    Attributes:
        scenes: names of the scenes, in the order of the items.
        files: name -> path.
        remarks: notes on what was skipped in the folder.

    Raises:
        DataError: when created, for missing folders and scenes; on access, for unreadable files, missing keys, other
            shapes, NaN, and values outside the range.
    """

    def __init__(
        self, root: str | os.PathLike, scenes: tuple[str, ...] | None = None, side: int = SIDE, bits: int | None = None
    ) -> None:
        self.root, self.side, self.bits = Path(root), side, bits
        found = files_in(self.root, (".mat",), "a folder of scenes")
        there, self.remarks = {p.stem: p for p in found.paths}, found.notes
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
            raise file.lacks("ref")
        cube = file.read("ref")
        if cube.ndim != 3 or cube.shape[2] != BANDS or min(cube.shape[:2]) < self.side or cube.dtype.kind not in "uif":
            expected = f"numbers of shape (H, W, {BANDS}), sides of at least {self.side}"
            raise DataError(file.path, f"ref, {cube.dtype} of shape {cube.shape}", expected)
        stored = cube.dtype
        cube = np.moveaxis(cube[: self.side, : self.side], -1, 0).astype(np.float32)
        if not np.isfinite(cube).all():
            raise DataError(file.path, "NaN or infinity in ref", "finite values")
        cube = self._unit(cube, stored, file.path)
        mask = file.read("lbl") if "lbl" in file else None
        if mask is not None:
            if mask.ndim != 2 or min(mask.shape) < self.side or mask.dtype.kind not in "buif":
                found = f"lbl, {mask.dtype} of shape {mask.shape}"
                raise DataError(file.path, found, f"numbers, sides of at least {self.side}")
            mask = mask[: self.side, : self.side] > 0
        return {"name": name, "gt": cube, "mask": mask}

    def _unit(self, cube: np.ndarray, stored: np.dtype, path: Path) -> np.ndarray:
        """Return the samples as float32 in [0, 1]; `stored` is their type in the file."""
        most = float(cube.max())
        expected = "images in [0, 1], or digital numbers of a declared depth (--bits)"
        if cube.min() < 0:
            raise DataError(path, f"values {listed(cube)}", expected)
        if stored.kind == "f" and not are_digital_numbers(cube, path, expected, OVERSHOOT):
            return cube.clip(0, 1)
        bits = self.bits or (8 if stored.itemsize == 1 else DEPTH)
        if most > 2**bits - 1:
            raise DataError(path, f"values {listed(cube)}", f"0 to {2**bits - 1} of {bits} bits (--bits)")
        if self.bits is None and bits == DEPTH and most < LEAST:
            raise DataError(path, f"values up to {most:g}", f"{DEPTH} bits, {LEAST} or more among them, or --bits")
        return (cube / np.float64(2**bits - 1)).astype(np.float32)
