"""Pairs of photographs of one scene: focused near and far (multi-focus), or exposed short and long (multi-exposure)."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from .errors import DataError
from .files.folders import files_in, folders_in, natural
from .files.image_file import SUFFIXES, list_images, read_upright, to_gray, to_rgb, to_unit
from .files.infrared_range import doubts
from .files.orientation import sides_found
from .files.remarks import of_role
from .files.sample_type import Storage, storage_of
from .pair_names import matched

KINDS = ("multifocus", "multiexposure")
PART = re.compile(r"(.+)[-_ ](A|B|1|2)", re.IGNORECASE)  # lytro-01-A.jpg and lytro-01-B.jpg


class PhotographPairs:
    """Pairs of photographs, read on access.

    Args:
        kind: "multifocus" or "multiexposure".
        root: a folder of pairs "NAME-A.png", "NAME-B.png" (or _1 and _2), or a folder with one subfolder per scene. A
            subfolder holds two images, taken in the order of their names; for multi-exposure it may hold more, of which
            the darkest and the brightest (by their mean) are taken.
        first, second: in place of `root`, two folders of images with the same names, or one file each.

    Items are dictionaries: `name`; `first` and `second` (3, H, W) float32 in [0, 1], or (1, H, W) if both are gray;
    `storage`, the sample type of the file with more bits; `notes`, a list of texts on conversions.

    Raises:
        ValueError: for an unknown kind, and unless either `root` or both `first` and `second` are given.
        DataError: when created, for missing folders and images without partner; on access, for unreadable files and
            pairs of unequal size.
    """

    def __init__(
        self, kind: str, root: Path | None = None, *, first: Path | None = None, second: Path | None = None
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"kind: found {kind!r}, expected one of {', '.join(KINDS)}")
        if (root is None) == (first is None) or (first is None) != (second is None):
            raise ValueError("PhotographPairs needs a root, or a first and a second folder")
        self.kind = kind
        if root:
            self.pairs, self.remarks = _of_folder(root, kind)
        else:
            found = matched(Path(str(first)), Path(str(second)))
            self.pairs, self.remarks = [(a.stem, [a, b]) for a, b in found.pairs], found.notes

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[dict]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: int) -> dict:
        name, files = self.pairs[index]
        read = [(path, *_read(path)) for path in files]
        if len(read) > 2:
            read = [min(read, key=_mean), max(read, key=_mean)]
        (path, first, kept, notes), (other, second, other_kept, other_notes) = read
        if first.shape[1:] != second.shape[1:]:
            expected = f"{sides_found(path, first[0])} of its partner {path}"
            raise DataError(other, sides_found(other, second[0]), expected)
        bands = max(len(first), len(second))
        first, second = (np.repeat(x, bands // len(x), axis=0) for x in (first, second))
        notes = [*of_role("first", notes), *of_role("second", other_notes)]
        return {"name": name, "first": first, "second": second, "storage": kept.deeper(other_kept), "notes": notes}


def _read(path: Path) -> tuple[np.ndarray, Storage, list[str]]:
    """Return an image (1 or 3, H, W) in [0, 1], the file's sample type, and notes on conversions."""
    raw, turned = read_upright(path)
    colour = to_rgb(raw)
    samples, notes = to_gray(raw) if colour is None else (colour, [])
    unit, more = to_unit(samples, path)
    more += doubts(samples if colour is None else to_gray(raw)[0], None, "fewer bits than the file's type?")
    image = unit[None] if colour is None else np.ascontiguousarray(np.moveaxis(unit, -1, 0))
    return image, storage_of(raw, path, None), [*notes, *more, *turned]


def _mean(item: tuple) -> float:
    return float(item[1].mean())


def _of_folder(root: Path, kind: str) -> tuple[list[tuple[str, list[Path]]], list[str]]:
    if not root.is_dir():
        raise DataError(root, "a file" if root.exists() else "no such folder", "a folder of pairs")
    scenes, notes = folders_in(root)
    if not scenes:
        return _of_names(root)
    if loose := files_in(root, SUFFIXES).paths:
        found = f"{loose[0].name} beside the folder {scenes[0].name}"
        raise DataError(root, found, "either images, or one folder per scene")
    listed = {scene.name: list_images(scene) for scene in sorted(scenes, key=lambda p: natural(p.name))}
    pairs = [(name, sorted(found.paths, key=lambda p: natural(p.name))) for name, found in listed.items()]
    notes += [f"{name}: {note}" for name, found in listed.items() for note in found.notes]
    for name, files in pairs:
        if len(files) < 2 or (kind == "multifocus" and len(files) > 2):
            found = f"{len(files)} image{'s' if len(files) > 1 else ''}"
            raise DataError(root / name, found, "two" if kind == "multifocus" else "two or more")
    return pairs, notes


def _of_names(root: Path) -> tuple[list[tuple[str, list[Path]]], list[str]]:
    parts: dict[str, list[tuple[str, Path]]] = {}
    images, notes = list_images(root)
    for path in images:
        match = PART.fullmatch(path.stem)
        if not match:
            raise DataError(path, "a name without -A, -B, _1 or _2 at its end", "such names, or one folder per scene")
        parts.setdefault(match[1], []).append((match[2].upper(), path))
    for files in parts.values():
        if [mark for mark, _ in files] not in (["A", "B"], ["1", "2"]):
            found = ", ".join(path.name for _, path in files)
            raise DataError(root, found, "two images of this name, -A and -B, or _1 and _2")
    return [(name, [path for _, path in parts[name]]) for name in sorted(parts, key=natural)], notes
