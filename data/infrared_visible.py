"""Registered pairs of images: infrared and visible (RoadScene, TNO), MRI and CT, PET or SPECT.

The MRI takes the place of the visible image, as in the paper. Fusion uses gray images; the colour of the visible image
(or of PET and SPECT) and the bit depth of the files are returned as well, so that the fused image can keep them.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from .errors import DataError
from .files.folders import natural, plain_name
from .files.image_file import to_gray, to_rgb, to_unit
from .files.infrared_range import OPTIONS, InfraredRange, doubts, refuse_guess, scaled
from .files.remarks import of_role
from .files.sample_type import storage_of, stretched_storage
from .pair_folders import COLOURED, INFRARED_FOLDERS, VISIBLE_FOLDERS, find_pairs, subfolder
from .pair_image import PairImage, StoredImage, either_missing, on_common_ground, read_stored
from .pair_names import matched


class PairedImages:
    """Pairs of the same name from two folders, read on access.

    Args:
        root: a folder with one subfolder per kind: vi, vis, visible, crop_LR_visible or MRI, and ir, infrared,
            cropinfrared, CT, PET or SPECT (any case); `pair_folders.find_pairs` lists further layouts. Not needed if
            both `visible` and `infrared` are given.
        visible, infrared: the two folders, or one file each.
        bits: bit depth of images stored in more than 8 bits; that of their type by default.
        infrared_range: the values of the infrared images that are mapped to 0 and 1: (low, high) in the images' unit,
            or "stretch" for the 0.5th and 99.5th percentile of each image. The images may then have any numeric type.
            By default their values are divided by the largest value of their type or depth.
        guess: if False and `bits` is None, integers of over 8 bits that use less than a quarter of their type's range
            are refused. By default the item gets a note.
        resize_infrared: if True, infrared images whose height and width differ from their partners' by the same factor
            are resampled to the partners' size, and the item gets a note. If False or None, such pairs are refused;
            only the message for False offers this option.
        plain_order: sort names character by character (10 before 2), the order that training seeds depend on; by
            default in natural order.

    Attributes:
        pairs: the paths (visible, infrared) of each pair.
        remarks: notes on the whole set: which subfolder was chosen, how names were matched, what was skipped.

    Items are dictionaries: `name`; `visible` and `infrared` (1, H, W) float32 in [0, 1]; `colour` (3, H, W) float32 in
    [0, 1], or None for gray images; `coloured`, "visible" or "infrared", the image that `colour` belongs to; `storage`,
    the sample type of the file with more bits; `missing`, (H, W) bool, the pixels that are NoData in either file and
    filled in the images, or None; `notes`, a list of texts on conversions. Two georeferenced images are cropped to
    their common ground.

    Raises:
        ValueError: when created without `root` and without one of the two folders.
        DataError: when created, for missing or ambiguous folders, unmatched names, and a range for PET or SPECT; on
            access, for unreadable files, values outside the bit depth, NoData in every pixel, georeferences that do not
            fit each other, and pairs of unequal size.
    """

    def __init__(
        self,
        root: str | os.PathLike | None = None,
        *,
        visible: str | os.PathLike | None = None,
        infrared: str | os.PathLike | None = None,
        bits: int | None = None,
        infrared_range: InfraredRange | None = None,
        guess: bool = True,
        resize_infrared: bool | None = None,
        plain_order: bool = False,
    ) -> None:
        self.remarks: list[str] = []
        if visible is None or infrared is None:
            if root is None:
                raise ValueError("PairedImages needs a root, or both a visible and an infrared folder")
            if visible is None and infrared is None:
                visible, infrared, self.remarks = find_pairs(Path(root))
            visible = subfolder(Path(root), VISIBLE_FOLDERS, "visible") if visible is None else visible
            infrared = subfolder(Path(root), INFRARED_FOLDERS, "infrared") if infrared is None else infrared
        self.visible, self.infrared = Path(visible), Path(infrared)
        self.doubts = [
            f"{role} images are from a folder named {folder.name}: are the two swapped?"
            for role, path, foreign in (
                ("visible", self.visible, set(INFRARED_FOLDERS) - set(COLOURED)),
                ("infrared", self.infrared, set(VISIBLE_FOLDERS)),
            )
            if (folder := _home(path)).name.lower() in foreign and _home(self.visible) != _home(self.infrared)
        ]
        self.bits, self.infrared_range, self.guess = bits, infrared_range, guess
        self.resize_infrared = resize_infrared
        if infrared_range is not None and self.modality in COLOURED:
            found = f"a range for {self.modality.upper()}, whose colours are the measurement"
            raise DataError(self.infrared, found, "none (--stretch-infrared, --infrared-range)")
        self.pairs, notes = matched(self.visible, self.infrared, words=True, plain=plain_order)
        self.remarks = [*self.remarks, *notes]

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[dict]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: int) -> dict:
        visible_path, infrared_path = self.pairs[index]
        offered = self.resize_infrared is False
        *stored, placed = on_common_ground(read_stored(visible_path), read_stored(infrared_path), offered)
        visible, infrared = self._converted(stored[0]), self._converted(stored[1], is_infrared=True)
        if visible.gray.shape != infrared.gray.shape:
            infrared = infrared.resampled(visible, self.resize_infrared)
        coloured = "infrared" if self.modality in COLOURED else "visible"
        storage, missing = visible.storage.deeper(infrared.storage), either_missing(visible, infrared)
        if missing.any():
            storage = storage.masked([image.nodata for image in stored])
        return {
            "name": visible_path.stem,
            "visible": visible.gray[None],
            "infrared": infrared.gray[None],
            "colour": infrared.colour if coloured == "infrared" else visible.colour,
            "coloured": coloured,
            "missing": missing if missing.any() else None,
            "storage": storage,
            "notes": [
                *of_role("visible", visible.notes),
                *of_role("infrared", infrared.notes),
                *placed,
                *self.doubts,
            ],
        }

    @property
    def modality(self) -> str:
        """Name of the folder with the infrared (or CT, PET, ...) images, in lower case."""
        return _home(self.infrared).name.lower()

    def keep(self, names: Sequence[str]) -> None:
        """Keep only the pairs of these names (without suffixes), sorted by name.

        Raises:
            DataError: if one of them is missing.
        """
        there = {plain_name(visible): (visible, infrared) for visible, infrared in self.pairs}
        if lacking := [name for name in names if name not in there]:
            raise DataError(self.visible, f"no image named {lacking[0]}", f"the {len(names)} pairs asked for")
        self.pairs = [there[name] for name in sorted(names, key=natural)]

    def _converted(self, image: StoredImage, is_infrared: bool = False) -> PairImage:
        """Return an image as gray, colour and sample type."""
        raw, path = image.raw, image.path
        gray, notes = to_gray(raw)
        notes += image.notes
        wanted = self.infrared_range if is_infrared else None
        if wanted is not None:
            unit, more = scaled(gray, path, wanted, image.missing)
            colour, storage = None, stretched_storage(raw, path, self.bits)
        else:
            unit, colour, more = self._in_depth(raw, gray, path, is_infrared)
            storage = storage_of(raw, path, self.bits)
        storage = storage._replace(path=image.placed, corner=image.corner)
        return PairImage(image, unit, colour, storage, image.missing, [*notes, *more])

    def _in_depth(
        self, raw: np.ndarray, gray: np.ndarray, path: Path, is_infrared: bool
    ) -> tuple[np.ndarray, np.ndarray | None, list[str]]:
        """Return gray and colour divided by the largest value of their depth, and notes."""
        if not self.guess:
            remedy = f"--bits, {OPTIONS}" if is_infrared else "--bits"
            refuse_guess(gray, path, self.bits, remedy)
        try:
            unit, more = to_unit(gray, path, self.bits)
        except DataError as error:
            if is_infrared and gray.dtype.kind in "if":
                raise DataError(path, error.parts[1], f"{error.parts[2]}, {OPTIONS}") from None
            raise
        more += doubts(gray, self.bits, OPTIONS if is_infrared else "fewer bits? --bits")
        rgb = to_rgb(raw)
        return unit, None if rgb is None else np.moveaxis(to_unit(rgb, path, self.bits)[0], -1, 0), more


def _home(path: Path) -> Path:
    """Return the path if it is a folder, else its parent."""
    whole = path.resolve()
    return whole if whole.is_dir() else whole.parent
