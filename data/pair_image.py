"""One image of a pair as it is read; the pair's common ground, and resampling to the partner's size."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .files.georeference import Span
from .files.orientation import sides_found
from .files.pair_ground import pair_ground, place_of
from .files.resize import plain_factor, refuse_sides, resized
from .files.sample_type import Storage

TOUCHED = 0.01  # part of a resampled pixel that may be NoData without masking it


class PairImage(NamedTuple):
    """One image of a pair.

    Attributes:
        path: the file.
        gray: (H, W) float32 in [0, 1], NoData filled.
        colour: (3, H, W) in [0, 1], or None.
        storage: its sample type, for a result.
        missing: (H, W) bool, its NoData pixels.
        nodata: text of its NoData value, or None.
        notes: remarks on conversions.
    """

    path: Path
    gray: np.ndarray
    colour: np.ndarray | None
    storage: Storage
    missing: np.ndarray
    nodata: str | None
    notes: list[str]

    def cropped(self, rows: Span, columns: Span) -> "PairImage":
        """Return the part with these rows and columns."""
        window = np.s_[..., slice(*rows), slice(*columns)]
        colour = None if self.colour is None else self.colour[window]
        storage = self.storage._replace(corner=(rows[0], columns[0]))
        return self._replace(gray=self.gray[window], colour=colour, missing=self.missing[window], storage=storage)

    def resampled(self, partner: "PairImage", wanted: bool | None) -> "PairImage":
        """Return the image resampled to its partner's size, without its georeference.

        Args:
            partner: the other image of the pair.
            wanted: whether to resample; False and None refuse, and None does not offer the option.

        Raises:
            DataError: if it is not wanted, or height and width differ by different factors.
        """
        sides = partner.gray.shape
        factor = plain_factor(self.gray.shape, sides)
        if factor is None or not wanted:
            expected = f"{sides_found(partner.path, partner.gray)} of its partner {partner.path}"
            raise refuse_sides(self.path, sides_found(self.path, self.gray), expected, factor, wanted is not None)
        gray, said = resized(self.gray, sides)
        notes, storage = [*self.notes, said], self.storage
        if storage.is_tiff:  # its georeference describes the pixels before resampling
            storage = storage._replace(path=None)
            notes.append("a georeference is left out, the image was resampled")
        colour = None if self.colour is None else resized(self.colour, sides)[0]
        missing = resized(self.missing.astype(np.float32), sides)[0] > TOUCHED
        return PairImage(self.path, gray, colour, storage, missing, self.nodata, notes)


def on_common_ground(visible: PairImage, infrared: PairImage) -> tuple[PairImage, PairImage, list[str]]:
    """Crop a pair to its common ground if both images are georeferenced; returns it and notes.

    Raises:
        DataError: see `pair_ground`.
    """
    places = place_of(visible.path), place_of(infrared.path)
    if places[0] is None or places[1] is None:
        named = "visible" if places[0] else "infrared"
        alone = f"only the {named} image has a georeference: taken to show the same ground"
        return visible, infrared, [alone] if any(places) else []
    sides = visible.gray.shape[:2], infrared.gray.shape[:2]
    ground, notes = pair_ground(places[0], places[1], sides, infrared.path)
    if ground is None:
        return visible, infrared, notes
    return visible.cropped(*ground.low), infrared.cropped(*ground.guide), notes
