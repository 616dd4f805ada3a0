"""Finds the folders with both kinds of images in a data set: RoadScene, TNO, MSRS, M3FD, LLVIP, FLIR-ADAS, medical."""

from pathlib import Path
from typing import NamedTuple

from .errors import DataError
from .files.folders import files_in, folders_in
from .files.image_file import SUFFIXES
from .pair_names import both_kinds

VISIBLE_FOLDERS = ("vi", "vis", "visible", "crop_lr_visible", "mri")
COLOURED = ("pet", "spect")  # the colours of these are the measurement
MEDICAL = ("ct", *COLOURED)
INFRARED_FOLDERS = ("ir", "infrared", "cropinfrared", *MEDICAL)
LOOSE = (("rgb", "visual"), ("thermal", "lwir"))  # names that count only if folders of both kinds are there
MIXED = ("", "JPEGImages", "align/JPEGImages")  # FLIR-ADAS, aligned: NAME_RGB.jpg and NAME_PreviewData.jpeg
UNALIGNED = ("thermal_8_bit", "thermal_16_bit", "images_thermal_train", "images_thermal_val")  # FLIR-ADAS


class PairFolders(NamedTuple):
    """The folders of visible and infrared images (one folder if it holds both), and notes on how they were chosen."""

    visible: Path
    infrared: Path
    notes: list[str]


def find_pairs(root: Path) -> PairFolders:
    """Return the folders with visible and infrared images of a data set.

    Understood layouts: ROOT/vi and ROOT/ir; ROOT/train/vi and ROOT/train/ir, if there is only one such part;
    ROOT/visible/test and ROOT/infrared/test, for which ROOT/test may be given; and one folder with both kinds, which
    words in the file names distinguish.

    Raises:
        DataError: for missing folders, and if several parts are there, of which the user must choose one.
    """
    if not root.is_dir():
        above = _both(root.parent)
        if above and all((folder / root.name).is_dir() for folder in above):
            return PairFolders(above[0] / root.name, above[1] / root.name, [])
        raise DataError(root, "no such folder", "a folder of image pairs")
    if both := _both(root):
        return _part(root, *both)
    parts = {place: both for place in folders_in(root).paths if (both := _both(place))}
    if len(parts) > 1:
        raise _several(root, [place.name for place in parts])
    for place, both in parts.items():
        found = _part(place, *both)
        return found._replace(notes=[f"pairs of the subfolder {place.name}", *found.notes])
    for name in MIXED:
        place = root / name
        if place.is_dir() and files_in(place, SUFFIXES).paths and both_kinds(place):
            return PairFolders(place, place, ["both kinds from one folder, told apart and paired by their names"])
    if unaligned := [p.name for p in folders_in(root).paths if p.name.lower() in UNALIGNED]:
        expected = "FLIR-ADAS's aligned pairs (align/JPEGImages): these are two cameras' frames, not registered"
        raise DataError(root, unaligned[0], f"{expected}; or --visible DIR and --infrared DIR")
    visible = subfolder(root, VISIBLE_FOLDERS, "visible")
    return PairFolders(visible, subfolder(root, INFRARED_FOLDERS, "infrared"), [])


def holds_pairs(root: Path) -> bool:
    """Whether a folder has a subfolder of visible or infrared images, or a part (train, test) with both subfolders.

    A folder that does not exist counts if its parent has both subfolders, see `find_pairs`.
    """
    if not root.is_dir():
        return _both(root.parent) is not None
    names = {p.name.lower() for p in folders_in(root).paths}
    return bool(names & {*VISIBLE_FOLDERS, *INFRARED_FOLDERS}) or any(_both(p) for p in folders_in(root).paths)


def subfolder(root: Path, names: tuple[str, ...], kind: str) -> Path:
    """Return the one subfolder with one of these names (lower case). Raises DataError for none, or several."""
    if not root.is_dir():
        raise DataError(root, "no such folder", "a folder of image pairs")
    found = _named(root, names)
    if not found:
        there = ", ".join(sorted(p.name for p in root.iterdir())[:5]) or "nothing"
        raise DataError(root, there, f"a subfolder of {kind} images ({', '.join(names)}), or --{kind} DIR")
    if len(found) > 1:
        raise DataError(root, f"{' and '.join(p.name for p in found)}", f"one {kind} folder, or --{kind} DIR")
    return found[0]


def _named(root: Path, names: tuple[str, ...]) -> list[Path]:
    return [p for p in folders_in(root).paths if p.name.lower() in names] if root.is_dir() else []


def _both(root: Path) -> tuple[Path, Path] | None:
    """Return the subfolders of visible and infrared images if there is exactly one of each, else None."""
    for visible, infrared in ((VISIBLE_FOLDERS, INFRARED_FOLDERS), LOOSE):
        left, right = _named(root, visible), _named(root, infrared)
        if len(left) == len(right) == 1:
            return left[0], right[0]
    return None


def _part(root: Path, visible: Path, infrared: Path) -> PairFolders:
    """Return the two folders, or the one part that both have if they hold no images: LLVIP's visible/train, ..."""
    if files_in(visible, SUFFIXES).paths or files_in(infrared, SUFFIXES).paths:
        return PairFolders(visible, infrared, [])
    left, right = ({p.name for p in folders_in(folder).paths} for folder in (visible, infrared))
    parts = sorted(left & right)
    if len(parts) > 1:
        raise _several(root, parts)
    if not parts:
        return PairFolders(visible, infrared, [])  # listing them will report the lack of images
    return PairFolders(visible / parts[0], infrared / parts[0], [f"pairs of the subfolders {parts[0]}"])


def _several(root: Path, parts: list[str]) -> DataError:
    chosen = "test" if "test" in parts else parts[0]
    return DataError(root, f"pairs in each of {', '.join(parts[:5])}", f"one of them, as in --data {root / chosen}")
