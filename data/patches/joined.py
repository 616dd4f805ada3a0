"""Prepared pansharpening patches of several scenes and sensors as one set."""

import os
from collections.abc import Sequence

import numpy as np

from data.errors import DataError
from data.pancollection import PanCollection


class JoinedPatches:
    """The patches of several prepared files, one file after the other; see `data.patches` for the interface.

    Each file's digital numbers are divided by its own range, so that sensors of 10, 11 and 12 bits share [0, 1].

    Args:
        paths: files of `python -m data ps`, or other training files with gt, lms, ms and pan.

    Attributes:
        bits: the largest bit depth of the files.
        ratio: resolution ratio, the same for all.
        sensor: the files' sensor, or "none" if they differ.

    Raises:
        DataError: for a file without gt or ms, or whose bands, ratio or sides differ from the first file's.
    """

    def __init__(self, paths: Sequence[str | os.PathLike]) -> None:
        self._files = [PanCollection(path) for path in paths]
        first = _about(self._files[0])
        for file in self._files:
            if not file.has_reference or file.ms_sides is None:
                raise DataError(file.path, "no ms" if file.has_reference else "no gt", "prepared patches with both")
            if _about(file) != first:
                raise DataError(file.path, _about(file), f"{first}, as {self._files[0].path} has")
        self.bits = max(file.bits for file in self._files)
        self.ratio = self._files[0].ratio
        sensors = {file.sensor for file in self._files}
        self.sensor = sensors.pop() if len(sensors) == 1 else "none"
        self._ends = np.cumsum([len(file) for file in self._files])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def sample(self, index: int, rng: np.random.Generator | None = None) -> dict:
        """Return patch `index`; `rng` is not used.

        Returns:
            A dictionary with `base_image` and `gt` (B, H, W), `ms` (B, h, w) and `guide` (1, H, W), float32 in [0, 1],
            and `name`.
        """
        number = int(np.searchsorted(self._ends, index, side="right"))
        item = self._files[number][index - (int(self._ends[number - 1]) if number else 0)]
        return {
            "name": item["name"],
            "base_image": item["lms"],
            "guide": item["pan"],
            "gt": item["gt"],
            "ms": item["ms"],
        }


def _about(file: PanCollection) -> str:
    return f"{file.bands} bands, ratio {file.ratio}, patches of {file.sides[0]}x{file.sides[1]}"
