"""Pansharpening patches from a training file or from one scene; see `data.patches` for the interface."""

from collections.abc import Sequence

import numpy as np

from data.errors import DataError
from data.pancollection import PanCollection
from data.simulate import interp23, wald

from .grid import check_grid, check_sides, starts


class PanPatches:
    """The images of a `PanCollection` training file as patches.

    Raises:
        DataError: for a file without gt, and for images with odd sides or sides under 8 pixels.
    """

    fixed = True  # the same samples in every epoch

    def __init__(self, collection: PanCollection) -> None:
        if not collection.has_reference:
            raise DataError(collection.path, "no gt", "a training file with gt, or `python -m data ps` to make one")
        check_sides(collection.path, *collection.sides)
        self.collection = collection

    def __len__(self) -> int:
        return len(self.collection)

    def sample(self, index: int, rng: np.random.Generator | None = None) -> dict:
        """Return patch `index`; `rng` is not used."""
        item = self.collection[index]
        return {"name": item["name"], "base_image": item["lms"], "guide": item["pan"], "gt": item["gt"]}


class PanScenePatches:
    """Pansharpening patches on a grid over one scene, reduced by Wald's protocol.

    Args:
        ms: (B, h, w) in [0, 1]; it becomes the reference.
        pan: (ratio h, ratio w), in the same unit.
        sensor, ratio, pan_filter: see `wald`.
        patch, stride: side of a patch and step of the grid in pixels of the reduced pan, divisible by `ratio`.
        name: the scene's name, for messages and samples.

    Raises:
        ValueError: for a patch or stride that `ratio` does not divide, and as `wald`.
        DataError: if the reduced scene is smaller than a patch.
    """

    fixed = True  # the same samples in every epoch

    def __init__(
        self,
        ms: np.ndarray,
        pan: np.ndarray,
        *,
        sensor: str,
        ratio: int = 4,
        pan_filter: str = "mtf",
        patch: int = 64,
        stride: int = 32,
        name: str = "scene",
    ) -> None:
        check_grid(patch, stride, ratio)
        images = wald(np.moveaxis(ms, 0, -1), pan, sensor=sensor, ratio=ratio, pan_filter=pan_filter)
        self.ratio, self.patch, self.name = ratio, patch, name
        self.pan = images.pop("pan")[None].astype(np.float32)
        self.images = {k: np.ascontiguousarray(np.moveaxis(v, -1, 0), np.float32) for k, v in images.items()}
        height, width = self.pan.shape[1:]
        if min(height, width) < patch:
            raise DataError(name, f"{height}x{width} reduced pixels", f"at least a patch of {patch}")
        self.places = [(t, u) for t in starts(height, patch, stride) for u in starts(width, patch, stride)]

    def __len__(self) -> int:
        return len(self.places)

    def apart_from(self, held: Sequence[int]) -> list[int]:
        """Return the indices of the patches that do not overlap any patch in `held`."""
        taken = [self.places[i] for i in held]
        return [
            i
            for i, (top, left) in enumerate(self.places)
            if all(abs(top - t) >= self.patch or abs(left - u) >= self.patch for t, u in taken)
        ]

    def sample(self, index: int, rng: np.random.Generator | None = None) -> dict:
        """Return patch `index`; `rng` is not used.

        As in PanCollection's files, lms is interpolated from the ms of this patch alone. The ms is returned as `ms`.
        """
        top, left = self.places[index]
        window = (slice(None), slice(top, top + self.patch), slice(left, left + self.patch))
        low = (slice(None), *(slice(s.start // self.ratio, s.stop // self.ratio) for s in window[1:]))
        ms = self.images["ms"][low]
        lms = np.moveaxis(interp23(np.moveaxis(ms, 0, -1), self.ratio), -1, 0).astype(np.float32)
        images = {"base_image": lms, "guide": self.pan[window], "gt": self.images["gt"][window], "ms": ms}
        return {
            "name": f"{self.name}, patch at {top},{left}",
            **{k: np.ascontiguousarray(v) for k, v in images.items()},
        }
