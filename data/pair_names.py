"""Pairs the images of two folders, or of one, by their names; words like VIS and IR are ignored."""

import re
from pathlib import Path
from typing import NamedTuple

from .errors import DataError
from .files.folders import natural, plain_name
from .files.image_file import SUFFIXES, list_images

VISIBLE_WORDS = ("vis", "vi", "rgb", "visible", "visual")
INFRARED_WORDS = ("ir", "infrared", "thermal", "lwir", "previewdata")  # FLIR-ADAS uses the last
EITHER = "|".join((*VISIBLE_WORDS, *INFRARED_WORDS))
WORD = re.compile(rf"(?<![^\W\d_])({EITHER})(?![^\W\d_])", re.IGNORECASE)  # IR1, a_vis; not the IR of FLIR
CAMEL = re.compile(r"(?<=[a-z])(VIS|RGB|IR)(?![A-Za-z])")  # manIR
CHANNEL = re.compile(r"_[gr]$", re.IGNORECASE)  # IR_meting003_g and VIS_meting003_r, as TNO has them


class Matched(NamedTuple):
    """Pairs of files (visible, infrared), in the order of their names, and notes on how they were matched."""

    pairs: list[tuple[Path, Path]]
    notes: list[str]


def images_by_name(path: Path) -> tuple[dict[str, Path], list[str]]:
    """Return the images of a folder, name without suffix -> file, and notes on what was skipped.

    Raises:
        DataError: for a missing folder, one without images, and two images of one name.
    """
    found = list_images(path)
    files: dict[str, Path] = {}
    for file in found.paths:
        name = plain_name(file)
        if name in files:
            raise DataError(path, f"{files[name].name} and {file.name}", "one image of each name")
        files[name] = file
    return files, found.notes


def matched(visible: Path, infrared: Path, words: bool = False, plain: bool = False) -> Matched:
    """Return the pairs of images with equal names (without suffixes) in two folders, or the pair of two files.

    Pairs are in natural order, 2 before 10, unless `plain` is set.

    Args:
        visible, infrared: two folders, or two files. With `words`, one folder may hold both kinds.
        words: if names differ, pair IR1 with VIS1, provided that this matches all images uniquely.
        plain: sort character by character (10 before 2), the order that training seeds depend on.

    Raises:
        DataError: for missing folders, a file with a folder, two images of one name, and an image without partner.
    """
    one_file, other_file = (path.is_file() or path.suffix.lower() in SUFFIXES for path in (visible, infrared))
    if one_file and other_file:
        return Matched([(visible, infrared)], [])
    if one_file != other_file:
        file, folder = (visible, infrared) if one_file else (infrared, visible)
        raise DataError(folder, "a folder", f"a file, as {file} is one")
    (left, notes), (right, other_notes) = images_by_name(visible), images_by_name(infrared)
    if words and visible.resolve() == infrared.resolve():
        return Matched(_in_order(_within(visible, left), plain), notes)
    notes = list(dict.fromkeys([*notes, *other_notes]))
    if left.keys() == right.keys():
        return Matched(_in_order([(left[name], right[name]) for name in sorted(left)], plain), notes)
    pairs = by_words(list(left.values()), list(right.values())) if words else None
    if pairs is not None:
        pairs = _in_order(pairs, plain)
        return Matched(pairs, [*notes, _said(pairs)])
    for name in sorted(set(left) ^ set(right)):
        lone, other = (left[name], infrared) if name in left else (right[name], visible)
        raise DataError(lone, "no partner", f"an image named {lone.stem} in {other}")
    raise AssertionError("names that differ have one that is on one side")


def _in_order(pairs: list[tuple[Path, Path]], plain: bool) -> list[tuple[Path, Path]]:
    """Return pairs, given in character order, unchanged if `plain`, else in natural order."""
    return pairs if plain else sorted(pairs, key=lambda pair: natural(pair[0].stem))


def by_words(visible: list[Path], infrared: list[Path]) -> list[tuple[Path, Path]] | None:
    """Return pairs whose names are equal without the words for their kind.

    None if an image is left over, or a name has a word for the other kind.
    """
    if any(role_of(p) == "infrared" for p in visible) or any(role_of(p) == "visible" for p in infrared):
        return None
    for channels in (False, True):
        left, right = ({_key(p, channels): p for p in paths} for paths in (visible, infrared))
        if left.keys() == right.keys() and len(left) == len(visible) == len(infrared):
            return sorted((left[key], right[key]) for key in left)
    return None


def both_kinds(folder: Path) -> bool:
    """Whether the images of a folder are of both kinds, visible and infrared, by the words in their names.

    Raises:
        DataError: for a folder without images.
    """
    roles = {role_of(path) for path in list_images(folder).paths}
    return {"visible", "infrared"} <= roles


def role_of(path: Path) -> str | None:
    """Return "visible" or "infrared" if the name has a word for that kind only, else None."""
    words = {match[0].lower() for match in (*WORD.finditer(plain_name(path)), *CAMEL.finditer(plain_name(path)))}
    kinds = [kind for kind, names in (("visible", VISIBLE_WORDS), ("infrared", INFRARED_WORDS)) if words & {*names}]
    return kinds[0] if len(kinds) == 1 else None


def _key(path: Path, channels: bool) -> str:
    """Return the name without words for its kind, separators unified; with `channels` also without TNO's letter."""
    name = WORD.sub("", CAMEL.sub("", plain_name(path)))
    return re.sub(r"[-_ .]+", "_", CHANNEL.sub("", name) if channels else name).strip("_").casefold()


def _within(folder: Path, files: dict[str, Path]) -> list[tuple[Path, Path]]:
    """Return the pairs among the images of one folder. Raises DataError if a name fits no kind or no partner."""
    kinds = {path: role_of(path) for path in files.values()}
    if lone := next((path for path, kind in kinds.items() if kind is None), None):
        expected = "a word for its kind in each name (VIS1 and IR1), or --visible DIR and --infrared DIR"
        raise DataError(lone, "an image that may be of either kind", expected)
    visible, infrared = ([p for p, kind in kinds.items() if kind == wanted] for wanted in ("visible", "infrared"))
    pairs = by_words(visible, infrared)
    if pairs is None:
        keys = {kind: {_key(p, False) for p, k in kinds.items() if k == kind} for kind in kinds.values()}
        lone = next(
            (p for p, k in kinds.items() if not all(_key(p, False) in others for others in keys.values())), folder
        )
        raise DataError(lone, "no partner", "two images of each name, VIS1 and IR1, or --visible and --infrared")
    return pairs


def _said(pairs: list[tuple[Path, Path]]) -> str:
    visible, infrared = pairs[0]
    return f"paired by names without the word for the kind ({visible.stem} with {infrared.stem}, ...)"
