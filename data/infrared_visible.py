"""Registered pairs of images: infrared and visible (RoadScene, TNO), MRI and CT, PET or SPECT.

The MRI plays the visible image, as in the paper. What is fused is gray; the colour of the visible image (or of PET and
SPECT) and the depth of the files come along, for the fused image to keep.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from .errors import DataError
from .files.image_file import SUFFIXES, list_images, read_raster, to_gray, to_rgb, to_unit, turned
from .files.infrared_range import OPTIONS, InfraredRange, doubts, refuse_guess, scaled
from .files.sample_type import Storage, storage_of, stretched_storage

VISIBLE_FOLDERS = ("vi", "vis", "visible", "crop_lr_visible", "mri")
COLOURED = ("pet", "spect")  # whose colours are the measurement
MEDICAL = ("ct", *COLOURED)
INFRARED_FOLDERS = ("ir", "infrared", "cropinfrared", *MEDICAL)


class PairedImages:
    """Pairs of the same name from two folders, read on access.

    Args:
        root: a folder holding one subfolder of each kind: vi, vis, visible, crop_LR_visible or MRI, and ir, infrared,
            cropinfrared, CT, PET or SPECT (any case). Not needed where both others are given.
        visible, infrared: the two folders, or one file each.
        bits: declared bit depth of images of more than 8 bits; that of their type by default.
        infrared_range: what becomes 0 to 1 in the infrared images, of any numeric type: (low, high) in their own unit,
            or "stretch" for the 0.5th to 99.5th percentile of each; by default the range of their type or depth.
        guess: False: integers that use less than a quarter of the range of their type are refused unless `bits` is
            given; by default a note is made.

    Items are dictionaries: `name`, `visible` and `infrared` (1, H, W) float32 in [0, 1], `colour` (3, H, W) likewise or
    None where nothing is coloured, `coloured` (whose colour that is), `storage` (how the deeper of the two files holds
    its samples), `notes` (what was converted).

    Raises:
        DataError: at the start for missing or ambiguous folders and unmatched names; on access for unreadable files,
            values outside the bit depth, and pairs of unequal size.
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
    ) -> None:
        if visible is None or infrared is None:
            if root is None:
                raise ValueError("PairedImages needs a root, or both a visible and an infrared folder")
            visible = _subfolder(Path(root), VISIBLE_FOLDERS, "visible") if visible is None else visible
            infrared = _subfolder(Path(root), INFRARED_FOLDERS, "infrared") if infrared is None else infrared
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
        if infrared_range is not None and self.modality in COLOURED:
            found = f"a range for {self.modality.upper()}, whose colours are the measurement"
            raise DataError(self.infrared, found, "none (--stretch-infrared, --infrared-range)")
        self.pairs = matched(self.visible, self.infrared)

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[dict]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: int) -> dict:
        visible_path, infrared_path = self.pairs[index]
        visible, colour, kept, notes_visible = self._read(visible_path)
        infrared, other_colour, other_kept, notes_infrared = self._read(infrared_path, is_infrared=True)
        coloured = "visible"
        if self.modality in COLOURED:
            colour, coloured = other_colour, "infrared"
        if visible.shape != infrared.shape:
            h, w = visible.shape
            raise DataError(
                infrared_path,
                f"{infrared.shape[0]}x{infrared.shape[1]} pixels",
                f"{h}x{w} of its partner {visible_path}",
            )
        return {
            "name": visible_path.stem,
            "visible": visible[None],
            "infrared": infrared[None],
            "colour": colour,
            "coloured": coloured,
            "storage": kept.deeper(other_kept),
            "notes": [
                *(f"visible: {n}" for n in notes_visible),
                *(f"infrared: {n}" for n in notes_infrared),
                *self.doubts,
            ],
        }

    @property
    def modality(self) -> str:
        """The name of the folder of infrared (or CT, PET, ...) images, in lower case."""
        return _home(self.infrared).name.lower()

    def keep(self, names: Sequence[str]) -> None:
        """Only the pairs of these names, without suffixes.

        Raises:
            DataError: where one of them is not there.
        """
        there = {visible.stem: (visible, infrared) for visible, infrared in self.pairs}
        if lacking := [name for name in names if name not in there]:
            raise DataError(self.visible, f"no image named {lacking[0]}", f"the {len(names)} pairs asked for")
        self.pairs = [there[name] for name in sorted(names)]

    def _read(self, path: Path, is_infrared: bool = False) -> tuple[np.ndarray, np.ndarray | None, Storage, list[str]]:
        """Gray and colour in [0, 1], how the file holds them, what was converted."""
        raw = read_raster(path)
        gray, notes = to_gray(raw)
        notes += turned(path)
        if is_infrared and self.infrared_range is not None:
            unit, more = scaled(gray, path, self.infrared_range)
            return unit, None, stretched_storage(raw, path, self.bits), [*notes, *more]
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
        colour = None if rgb is None else np.moveaxis(to_unit(rgb, path, self.bits)[0], -1, 0)
        return unit, colour, storage_of(raw, path, self.bits), [*notes, *more]


def holds_pairs(root: Path) -> bool:
    """Whether a folder has a subfolder for either kind of image."""
    names = {p.name.lower() for p in root.iterdir() if p.is_dir()} if root.is_dir() else set()
    return bool(names & {*VISIBLE_FOLDERS, *INFRARED_FOLDERS})


def _home(path: Path) -> Path:
    """The folder, or the file's."""
    whole = path.resolve()
    return whole if whole.is_dir() else whole.parent


def _subfolder(root: Path, names: tuple[str, ...], kind: str) -> Path:
    if not root.is_dir():
        raise DataError(root, "no such folder", "a folder of image pairs")
    found = sorted(p for p in root.iterdir() if p.is_dir() and p.name.lower() in names)
    if not found:
        there = ", ".join(sorted(p.name for p in root.iterdir())[:5]) or "nothing"
        raise DataError(root, there, f"a subfolder of {kind} images ({', '.join(names)}), or --{kind} DIR")
    if len(found) > 1:
        raise DataError(root, f"{' and '.join(p.name for p in found)}", f"one {kind} folder, or --{kind} DIR")
    return found[0]


def images_by_stem(path: Path) -> dict[str, Path]:
    """Name without suffix -> file, of the images of a folder.

    Raises:
        DataError: for no such folder, none in it, and two images of one name.
    """
    files: dict[str, Path] = {}
    for file in list_images(path):
        if file.stem in files:
            raise DataError(path, f"{files[file.stem].name} and {file.name}", "one image of each name")
        files[file.stem] = file
    return files


def _file_or_folder(path: Path) -> dict[str, Path]:
    if path.is_file() or path.suffix.lower() in SUFFIXES:
        return {"": path}
    return images_by_stem(path)


def matched(visible: Path, infrared: Path) -> list[tuple[Path, Path]]:
    """The images of two folders by their names without suffixes, sorted; or two files.

    Raises:
        DataError: for missing folders, a file beside a folder, two images of one name, and the first without partner.
    """
    left, right = _file_or_folder(visible), _file_or_folder(infrared)
    if ("" in left) != ("" in right):
        file, folder = (visible, infrared) if "" in left else (infrared, visible)
        raise DataError(folder, "a folder", f"a file, as {file} is one")
    for name in sorted(set(left) ^ set(right)):
        lone, other = (left[name], infrared) if name in left else (right[name], visible)
        raise DataError(lone, "no partner", f"an image named {lone.stem} in {other}")
    return [(left[name], right[name]) for name in sorted(left)]
