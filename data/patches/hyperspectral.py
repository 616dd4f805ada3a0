"""Hyperspectral patches, cut on the fly from whole scenes; see `data.patches` for the interface."""

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from data.errors import DataError
from data.simulate import degrade_hsi, imresize

from .grid import check_grid, starts

KEPT_SCENES = 24  # scenes in memory, 16 MB each for CAVE's 512x512x31 in 16 bits


class SpectralPatches:
    """Hyperspectral patches on a grid over scenes, degraded by the protocol of the published tables.

    The low-resolution patch is cut from the degraded scene and upsampled on its own (bilinear), as in the training of
    the released network.

    Args:
        scenes: `CAVE`, `Harvard` or a list of their items.
        srf: spectral response (B, channels).
        ratio: resolution ratio.
        patch: side of a patch in pixels, divisible by `ratio`.
        stride: step of the grid in pixels, divisible by `ratio`; the last patch of a row is flush with the scene's end.

    Raises:
        ValueError: for a patch or stride that `ratio` does not divide.
        DataError: for scenes smaller than a patch, or with another number of bands than the response.
    """

    fixed = True  # the same samples in every epoch

    def __init__(self, scenes: Sequence, srf: np.ndarray, ratio: int = 4, patch: int = 64, stride: int = 32) -> None:
        check_grid(patch, stride, ratio)
        self.scenes, self.srf, self.ratio, self.patch = scenes, np.asarray(srf, np.float64), ratio, patch
        self._kept: OrderedDict[int, tuple[np.ndarray, np.ndarray]] = OrderedDict()
        self.names: list[str] = []
        self.sides = self._side_lengths()
        self.places = [
            (scene, top, left)
            for scene, (height, width) in enumerate(self.sides)
            for top in starts(height, patch, stride)
            for left in starts(width, patch, stride)
        ]

    def _side_lengths(self) -> list[tuple[int, int]]:
        sides = []
        for i in range(len(self.scenes)):
            item = self.scenes[i]
            bands, height, width = item["gt"].shape
            if bands != len(self.srf):
                raise DataError(item["name"], f"{bands} bands", f"{len(self.srf)} of the spectral response")
            height, width = (side // self.ratio * self.ratio for side in (height, width))
            if min(height, width) < self.patch:
                raise DataError(item["name"], f"{height}x{width} pixels", f"at least a patch of {self.patch}")
            sides.append((height, width))
            self.names.append(item["name"])
            self._keep(i, item["gt"])
        return sides

    def _keep(self, index: int, gt: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return a scene in 16 bits and its degraded version, and keep them in memory with the latest `KEPT_SCENES`."""
        gt = gt[:, : gt.shape[1] // self.ratio * self.ratio, : gt.shape[2] // self.ratio * self.ratio]
        low = np.moveaxis(degrade_hsi(np.moveaxis(gt, 0, -1), self.ratio), -1, 0).astype(np.float32)
        self._kept[index] = np.rint(gt * 65535).astype(np.uint16), low
        if len(self._kept) > KEPT_SCENES:
            self._kept.popitem(last=False)
        return self._kept[index]

    def __len__(self) -> int:
        return len(self.places)

    def sample(self, index: int, rng: np.random.Generator | None = None) -> dict:
        """Return patch `index`, with the low-resolution patch as `lr`; `rng` is not used, as patches lie on a grid."""
        scene, top, left = self.places[index]
        whole, low = self._kept.get(scene) or self._keep(scene, self.scenes[scene]["gt"])
        gt = whole[:, top : top + self.patch, left : left + self.patch] / np.float32(65535)
        r = self.ratio
        lr = low[:, top // r : (top + self.patch) // r, left // r : (left + self.patch) // r]
        up = np.moveaxis(imresize(np.moveaxis(lr, 0, -1), r, "bilinear"), -1, 0)
        guide = np.tensordot(self.srf.T, gt, axes=(1, 0))
        arrays = {"base_image": up, "guide": guide, "gt": gt, "lr": lr}
        arrays = {k: np.ascontiguousarray(v, np.float32) for k, v in arrays.items()}
        return {"name": f"{self.names[scene]}, patch at {top},{left}", **arrays}
