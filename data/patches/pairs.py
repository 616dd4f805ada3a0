"""Infrared-visible patches, cut on the fly from whole pairs; see `data.patches` for the interface."""

from collections.abc import Sequence

import numpy as np

from data.errors import DataError
from data.files.image_file import LUMA
from data.infrared_visible import PairedImages

from .night import night_pair

LEAST_CONTRAST = 0.1


class PairGrid:
    """Square patches on a grid over infrared-visible pairs, without patches of low contrast.

    A patch is left out if (p90 - p10) / p90 < 0.1 in either image, p90 and p10 being the 90th and the 10th percentile.
    Patches with p90 = 0 are kept, as in CDDFuse's released code.

    Args:
        pairs: `PairedImages` or a list of its items.
        numbers: indices of the pairs to use; each pair is read once at the start to find its patches.
        patch: side of a patch in pixels.
        step: step of the grid in pixels.
        skip_bad: leave out pairs that cannot be read, and print one line per pair.

    Raises:
        DataError: if no patch is left, and for unreadable pairs unless `skip_bad`.
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
        """Return patch `index`; the random numbers are not used."""
        number, top, left = self.places[index]
        both = self._both(number)[:, top : top + self.patch, left : left + self.patch]
        name = f"{self.pairs[number]['name']} at {top}, {left}"
        return {"name": name, "base_image": both[:1].copy(), "guide": both[1:].copy()}

    def _both(self, number: int) -> np.ndarray:
        """Return visible and infrared image as (2, H, W); the luma of a visible colour image is not rounded."""
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
        patch: side of a crop in pixels.
        night: fraction of the crops that are darkened, see `data.patches.night`.

    Raises:
        DataError: on access, for images smaller than a crop.
    """

    def __init__(self, pairs: PairedImages | list[dict], patch: int = 152, night: float = 0.0) -> None:
        self.pairs, self.patch, self.night = pairs, patch, night

    def __len__(self) -> int:
        return len(self.pairs)

    def sample(self, index: int, rng: np.random.Generator) -> dict:
        """Return a crop of pair `index` at a position drawn from `rng`."""
        pair = self.pairs[index]
        height, width = pair["visible"].shape[1:]
        if min(height, width) < self.patch:
            raise DataError(pair["name"], f"{height}x{width} pixels", f"at least a crop of {self.patch} (--patch)")
        top, left = (int(rng.integers(side - self.patch + 1)) for side in (height, width))
        window = (slice(None), slice(top, top + self.patch), slice(left, left + self.patch))
        visible, infrared = (np.ascontiguousarray(pair[kind][window]) for kind in ("visible", "infrared"))
        if self.night and rng.random() < self.night:
            visible, infrared = night_pair(visible, infrared, rng)
        return {"name": pair["name"], "base_image": visible, "guide": infrared}
