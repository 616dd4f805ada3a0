"""Selects the scenes, pairs and photographs of a folder for training: those that are in no published test set.

Test images are recognised by the names in `splits`, and by their content, see `splits.test_images`.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from data import CAVE, Harvard, PairedImages
from data.errors import DataError
from data.files.folders import files_in, plain_name
from data.files.infrared_range import DOUBT, InfraredRange
from data.hyperspectral import CAVE_TEST
from data.samples import sample_pairs
from data.splits import split
from data.splits.test_images import known_name

from .single_images import FolderImages

MIDDLE = 15  # index of the band by which a scene is recognised, 550 nm
SHOWN = 3  # names of a list that a line shows

JUDGED = 8  # pairs whose ranges are checked before a training


def training_scenes(folder: Path, names: Sequence[str] | None, bits: int | None) -> tuple[CAVE | Harvard, str]:
    """Return the training scenes of a folder, read on access, and a text that describes the data.

    Args:
        folder: a folder of Harvard's .mat files, or of CAVE's scenes.
        names: the scenes to use. By default all of Harvard, and all of CAVE except the 11 test scenes, which are
            recognised by their content under other names, too.
        bits: bit depth of CAVE's band images, or of Harvard's digital numbers.

    Raises:
        DataError: if nothing is left to train on.
    """
    if folder.is_dir() and files_in(folder, (".mat",)).paths:
        harvard = Harvard(folder, tuple(names) if names else None, bits=bits)
        return harvard, ", ".join([f"{folder} (Harvard, {len(harvard)} scenes)", *harvard.remarks])
    chosen, renamed = tuple(names or ()), dict[str, str]()
    if not names:
        there = CAVE(folder, bits=bits)
        others = [scene for scene in sorted(there.scenes) if scene not in CAVE_TEST]
        renamed = {s: known for s in others if (known := known_name(there.files[s][MIDDLE], there.bits))}
        chosen = tuple(scene for scene in others if scene not in renamed)
    if not chosen:
        raise DataError(folder, "only test scenes", "others to train on, or --scenes NAME ...")
    cave = CAVE(folder, chosen, bits=bits)
    return cave, ", ".join([f"{folder} (CAVE, {len(cave)} scenes)", *_told(renamed), *cave.remarks])


def training_pairs(
    data: Path | None, keep_test_pairs: bool, infrared_range: InfraredRange | None = None
) -> tuple[PairedImages | list[dict], str]:
    """Return the training pairs of a folder, or of the sample, and a text that describes the data.

    Args:
        data: the folder; None is the embedded sample.
        keep_test_pairs: keep pairs of published test sets.
        infrared_range: see `PairedImages`.

    Raises:
        DataError: if nothing is left to train on.
    """
    if data is None:
        return sample_pairs(), "the embedded sample"
    pairs, label = PairedImages(data, infrared_range=infrared_range, plain_order=True), [str(data)]
    if not keep_test_pairs:
        tests, every = set(split("roadscene_50")), pairs.pairs
        others = [pair for pair in every if plain_name(pair[0]) not in tests]
        shown = {pair[0].name: known for pair in others if (known := known_name(pair[0]) or known_name(pair[1]))}
        pairs.pairs = [pair for pair in others if pair[0].name not in shown]
        if len(others) < len(every):
            label.append(f"without {len(every) - len(others)} test pairs of CDDFuse")
        label += _told(shown)
    if not len(pairs):
        raise DataError(data, "only test pairs", "others to train on, or --keep-test-pairs")
    return pairs, ", ".join([*label, *pairs.remarks, *_range_doubts(pairs)])


def training_photographs(folder: Path, keep_test_pairs: bool) -> tuple[FolderImages, str]:
    """Return the training photographs of a folder and its subfolders, and a text that describes the data.

    Args:
        folder: the folder.
        keep_test_pairs: keep images of published test sets.

    Raises:
        DataError: if nothing is left to train on.
    """
    images, label = FolderImages(folder), [f"{folder} (photographs)"]
    if not keep_test_pairs:
        tests, every = set(split("roadscene_50")), images.files
        others = [file for file in every if plain_name(file) not in tests]
        shown = {str(file.relative_to(folder)): known for file in others if (known := known_name(file))}
        images.files = [file for file in others if str(file.relative_to(folder)) not in shown]
        if len(others) < len(every):
            label.append(f"without {len(every) - len(others)} test images of CDDFuse")
        label += _told(shown)
        if not images.files:
            raise DataError(folder, "only test images", "others to train on, or --keep-test-pairs")
    return images, ", ".join([*label, *images.remarks])


def _told(shown: dict[str, str]) -> list[str]:
    """Return a line on the images that were left out because they show a test image; empty without any."""
    if not shown:
        return []
    first = "; ".join(f"{name} is {known}" for name, known in list(shown.items())[:SHOWN])
    more = ", ..." if len(shown) > SHOWN else ""
    what = "1 more that shows a test image" if len(shown) == 1 else f"{len(shown)} more that show test images"
    return [f"without {what} ({first}{more})"]


def _range_doubts(pairs: PairedImages) -> list[str]:
    """Return the notes on the ranges of up to eight pairs, spread over the set; unreadable pairs are ignored."""
    found: dict[str, None] = {}
    for index in sorted({int(i) for i in np.linspace(0, len(pairs) - 1, min(len(pairs), JUDGED))}):
        with suppress(DataError):
            found.update(dict.fromkeys(note for note in pairs[index]["notes"] if DOUBT in note))
    return list(found)
