"""The two images of a pair: cropped to their common ground as they are stored, and resampled to one size."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from .errors import DataError
from .files.georeference import Span
from .files.geotiff import TIFF
from .files.image_file import read_upright
from .files.nodata import declared, filled, missing_pixels
from .files.orientation import sides_found
from .files.pair_ground import pair_ground, place_of
from .files.resize import plain_factor, refuse_sides, resized
from .files.sample_type import Storage

TOUCHED = 0.01  # part of a resampled pixel that may be NoData without masking it


class StoredImage(NamedTuple):
    """One image of a pair as it is stored.

    Attributes:
        path: the file.
        raw: (H, W) or (H, W, C), upright, NoData filled.
        missing: (H, W) bool, its NoData pixels.
        nodata: text of its NoData value, or None.
        notes: remarks on reading it.
        placed: the file whose georeference a result gets: `path`, or that of the partner.
        corner: first row and column of the file's pixels that are here.
    """

    path: Path
    raw: np.ndarray
    missing: np.ndarray
    nodata: str | None
    notes: list[str]
    placed: Path
    corner: tuple[int, int] = (0, 0)

    def cropped(self, rows: Span, columns: Span) -> "StoredImage":
        """Return the part with these rows and columns."""
        window = np.s_[slice(*rows), slice(*columns)]
        return self._replace(raw=self.raw[window], missing=self.missing[window], corner=(rows[0], columns[0]))


class PairImage(NamedTuple):
    """One image of a pair as the network sees it.

    Attributes:
        stored: the image as stored.
        gray: (H, W) float32 in [0, 1].
        colour: (3, H, W) in [0, 1], or None.
        storage: its sample type, for a result.
        missing: (H, W) bool, NoData pixels.
        notes: remarks on reading and conversions.
    """

    stored: StoredImage
    gray: np.ndarray
    colour: np.ndarray | None
    storage: Storage
    missing: np.ndarray
    notes: list[str]

    def resampled(self, partner: "PairImage", wanted: bool | None) -> "PairImage":
        """Return the image resampled to its partner's size, without its georeference.

        Args:
            partner: the other image of the pair.
            wanted: whether to resample; False and None refuse, and None does not offer the option.

        Raises:
            DataError: if it is not wanted, or height and width differ by different factors.
        """
        path, other, sides = self.stored.path, partner.stored.path, partner.gray.shape
        factor = plain_factor(self.gray.shape, sides)
        if factor is None or not wanted:
            expected = f"{sides_found(other, partner.gray)} of its partner {other}"
            raise refuse_sides(path, sides_found(path, self.gray), expected, factor, wanted is not None)
        gray, said = resized(self.gray, sides)
        notes, storage = [*self.notes, said], self.storage
        if storage.is_tiff:  # its georeference describes the pixels before resampling
            storage = storage._replace(path=None)
            notes.append("a georeference is left out, the image was resampled")
        colour = None if self.colour is None else resized(self.colour, sides)[0]
        missing = resized(self.missing.astype(np.float32), sides)[0] > TOUCHED
        return PairImage(self.stored, gray, colour, storage, missing, notes)


def read_stored(path: Path) -> StoredImage:
    """Read one image of a pair.

    Raises:
        DataError: see `read_upright` and `missing_pixels`.
    """
    raw, notes = read_upright(path, nan=True)
    nodata = declared(path)
    missing = missing_pixels(raw, nodata, path)
    if missing.any():
        told = "transparent" if nodata is None else nodata
        notes.append(f"NoData ({told}): filled from beside for network and metrics, masked in the fused image")
    return StoredImage(path, filled(raw, missing), missing, nodata, notes, path)


def on_common_ground(
    visible: StoredImage, infrared: StoredImage, offered: bool
) -> tuple[StoredImage, StoredImage, list[str]]:
    """Crop a pair to its common ground if both images are georeferenced; returns it and notes.

    Args:
        visible, infrared: the images.
        offered: whether a message may offer --resize-infrared.

    Raises:
        DataError: see `pair_ground`.
    """
    places = place_of(visible.path), place_of(infrared.path)
    sides = visible.raw.shape[:2], infrared.raw.shape[:2]
    if places[0] is None or places[1] is None:
        both_tiff = {visible.path.suffix.lower(), infrared.path.suffix.lower()} <= set(TIFF)
        if places[1] and sides[0] == sides[1] and both_tiff:
            visible = visible._replace(placed=infrared.path)
        named = "visible" if places[0] else "infrared"
        alone = f"only the {named} image has a georeference: taken to show the same ground"
        return visible, infrared, [alone] if any(places) else []
    ground, notes = pair_ground(places[0], places[1], sides, infrared.path, offered)
    if ground is None:
        return visible, infrared, notes
    return visible.cropped(*ground.low), infrared.cropped(*ground.guide), notes


def either_missing(visible: PairImage, infrared: PairImage) -> np.ndarray:
    """Return a mask (H, W) bool of the pixels of a pair of one size that are NoData in either image.

    Raises:
        DataError: if these are all.
    """
    missing = visible.missing | infrared.missing
    if missing.all():
        found = "NoData wherever the visible image is measured"
        raise DataError(infrared.stored.path, found, "pixels measured in both")
    return missing
