"""Training patches: cut on the fly from scenes and pairs, or read from an H5 file of prepared ones.

Every set here has `len(set)` and `set.sample(index, rng)`, which returns float32 arrays in [0, 1] under the names
`base_image` (B, H, W), `guide` (b, H, W), `gt` (B, H, W; not for infrared-visible) and the sample's `name`. All
randomness comes from `rng`, so that a sample does not depend on the process that reads it.
"""

import os
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from data.errors import DataError
from data.files.array_file import ArrayFile
from data.files.image_file import LUMA
from data.infrared_visible import PairedImages
from data.simulate import degrade_hsi, imresize

from .grid import check_grid, check_sides, starts

KEPT_SCENES = 24  # of 16 MB each, CAVE's 512x512x31 in 16 bits
LEAST_CONTRAST = 0.1
H5_KEYS = {"gt": "GT", "base_image": "HSI_up", "lr": "LRHSI", "guide": "RGB"}


class SpectralPatches:
    """Hyperspectral patches of a grid over scenes, degraded by the protocol of the published tables.

    The low-resolution patch is cut from the degraded scene and upsampled by itself (bilinear), as the released
    network does it in training.

    Args:
        scenes: `CAVE`, `Harvard` or a list of their items.
        srf: (B, channels) spectral response.
        ratio: of the resolutions.
        patch: side of a patch, divisible by `ratio`.
        stride: of the grid, divisible by `ratio`; the last patch of a row ends where the scene does.

    Raises:
        DataError: for scenes smaller than a patch, and of other bands than the response.
    """

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
        """The scene in 16 bits and its degraded version, the last `KEPT_SCENES` of them in memory."""
        gt = gt[:, : gt.shape[1] // self.ratio * self.ratio, : gt.shape[2] // self.ratio * self.ratio]
        low = np.moveaxis(degrade_hsi(np.moveaxis(gt, 0, -1), self.ratio), -1, 0).astype(np.float32)
        self._kept[index] = np.rint(gt * 65535).astype(np.uint16), low
        if len(self._kept) > KEPT_SCENES:
            self._kept.popitem(last=False)
        return self._kept[index]

    def __len__(self) -> int:
        return len(self.places)

    def sample(self, index: int, rng: np.random.Generator | None = None) -> dict:
        """Patch `index`; `rng` is not used: patches lie on a grid."""
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


class H5Patches:
    """Prepared hyperspectral patches: an H5 file with GT, HSI_up, LRHSI and RGB, (N, C, H, W), in [0, 1].

    Read patch by patch; every process opens the file itself.

    Raises:
        DataError: at the start for missing keys and shapes that do not fit; on access, with the index, for NaN and
            values outside [0, 1] by more than a twentieth.
    """

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
        self.count, self.bands, self.guide_bands = gt[0], gt[1], shapes["guide"][1]
        self.ratio = gt[2] // max(shapes["lr"][2], 1)
        if self.ratio < 2 or any(side != low * self.ratio for side, low in zip(gt[2:], shapes["lr"][2:], strict=True)):
            found = f"GT of {gt[2]}x{gt[3]}, LRHSI of {shapes['lr'][2]}x{shapes['lr'][3]}"
            raise DataError(self.file.path, found, "one whole ratio of 2 or more for both sides")
        check_sides(self.file.path, *gt[2:])

    def __len__(self) -> int:
        return self.count

    def sample(self, index: int, rng: np.random.Generator | None = None) -> dict:
        """Patch `index`; `rng` is not used."""
        arrays = {}
        for role, key in H5_KEYS.items():
            array = np.asarray(self.file.read(key, index), np.float32)
            where = f"{self.file.path}: {key}[{index}]"
            if not np.isfinite(array).all():
                raise DataError(where, "NaN or infinity", "finite values")
            if array.min() < -0.05 or array.max() > 1.05:
                raise DataError(where, f"values from {array.min():g} to {array.max():g}", "0 to 1")
            arrays[role] = array
        return {"name": f"{self.file.path.name}[{index}]", **arrays}


class PairGrid:
    """Square patches of a grid over infrared-visible pairs, those of low contrast left out.

    A patch is left out where in either image the 90th percentile exceeds the 10th by less than a tenth of itself; one
    that is all black is kept, as in CDDFuse's released code.

    Args:
        pairs: `PairedImages` or a list of its items; all are read once.
        numbers: of the pairs.
        patch: side.
        step: of the grid, in pixels.
        skip_bad: leave out pairs that cannot be read, with a line for each.

    Raises:
        DataError: where no patch is left, and for unreadable pairs.
    """

    def __init__(
        self,
        pairs: PairedImages | list[dict],
        numbers: Sequence[int],
        patch: int,
        step: int = 200,
        skip_bad: bool = False,
    ) -> None:
        self.pairs, self.patch = pairs, patch
        self.places = []
        for number in numbers:
            try:
                both = self._both(number)
            except DataError as error:
                if not skip_bad:
                    raise
                print(f"left out: {error}")
                continue
            height, width = both.shape[1:]
            for top in range(0, height - patch + 1, step):
                for left in range(0, width - patch + 1, step):
                    if not any(_is_flat(image[top : top + patch, left : left + patch]) for image in both):
                        self.places.append((number, top, left))
        if not self.places:
            where = getattr(pairs, "visible", "the pairs")
            raise DataError(where, f"no patch of {patch}x{patch} with contrast", "larger images, or a smaller --patch")

    def __len__(self) -> int:
        return len(self.places)

    def sample(self, index: int, _: np.random.Generator | None) -> dict:
        """Patch `index`."""
        number, top, left = self.places[index]
        both = self._both(number)[:, top : top + self.patch, left : left + self.patch]
        name = f"{self.pairs[number]['name']} at {top}, {left}"
        return {"name": name, "base_image": both[:1].copy(), "guide": both[1:].copy()}

    def _both(self, number: int) -> np.ndarray:
        """(2, H, W), visible and infrared; the visible luma not rounded, where the image is in colour."""
        pair = self.pairs[number]
        visible = pair["visible"][0]
        if pair["colour"] is not None and pair["coloured"] == "visible":
            visible = np.tensordot(LUMA, pair["colour"], 1)
        return np.stack((visible, pair["infrared"][0]))


def _is_flat(image: np.ndarray) -> bool:
    low, high = np.percentile(image, (10, 90))
    return bool(high > 0 and (high - low) / high < LEAST_CONTRAST)


class PairCrops:
    """Random square crops of infrared-visible pairs, the same window from both.

    Args:
        pairs: `PairedImages` or a list of its items.
        patch: side of a crop.

    Raises:
        DataError: on access, for images smaller than a crop.
    """

    def __init__(self, pairs: PairedImages | list[dict], patch: int = 152) -> None:
        self.pairs, self.patch = pairs, patch

    def __len__(self) -> int:
        return len(self.pairs)

    def sample(self, index: int, rng: np.random.Generator) -> dict:
        """A crop of pair `index` at a place drawn from `rng`."""
        pair = self.pairs[index]
        height, width = pair["visible"].shape[1:]
        if min(height, width) < self.patch:
            raise DataError(pair["name"], f"{height}x{width} pixels", f"at least a crop of {self.patch} (--patch)")
        top, left = (int(rng.integers(side - self.patch + 1)) for side in (height, width))
        window = (slice(None), slice(top, top + self.patch), slice(left, left + self.patch))
        images = {"base_image": pair["visible"], "guide": pair["infrared"]}
        return {"name": pair["name"], **{k: np.ascontiguousarray(v[window]) for k, v in images.items()}}
