"""Which scenes and pairs of a folder are trained on: those of no published test set."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from data import CAVE, Harvard, PairedImages
from data.errors import DataError
from data.files.infrared_range import DOUBT, InfraredRange
from data.hyperspectral import CAVE_TEST
from data.samples import sample_pairs
from data.splits import split

JUDGED = 8  # pairs whose ranges are looked at before a training


def training_scenes(folder: Path, names: Sequence[str] | None, bits: int | None) -> tuple[CAVE | Harvard, str]:
    """The scenes of a folder, each read when asked for and not kept, and a label.

    Args:
        folder: of Harvard's .mat files, or of CAVE's scenes.
        names: the scenes; by default all of Harvard, and all of CAVE but the 11 test scenes.
        bits: depth of CAVE's band images, or of Harvard's digital numbers.

    Raises:
        DataError: where nothing is left to train on.
    """
    if folder.is_dir() and any(p.suffix == ".mat" for p in folder.iterdir()):
        harvard = Harvard(folder, tuple(names) if names else None, bits=bits)
        return harvard, f"{folder} (Harvard, {len(harvard)} scenes)"
    chosen = tuple(names or (s for s in CAVE(folder, bits=bits).scenes if s not in CAVE_TEST))
    if not chosen:
        raise DataError(folder, "only test scenes", "others to train on, or --scenes NAME ...")
    cave = CAVE(folder, chosen, bits=bits)
    return cave, f"{folder} (CAVE, {len(cave)} scenes)"


def training_pairs(
    data: Path | None, keep_test_pairs: bool, infrared_range: InfraredRange | None = None
) -> tuple[PairedImages | list[dict], str]:
    """The pairs of a folder without the 50 test pairs, or the sample pairs, and where they are from.

    Args:
        data: the folder, None for the sample.
        keep_test_pairs: do not leave any out.
        infrared_range: see `PairedImages`.

    Raises:
        DataError: where nothing is left to train on.
    """
    if data is None:
        return sample_pairs(), "the embedded sample"
    pairs, label = PairedImages(data, infrared_range=infrared_range), str(data)
    tests = set() if keep_test_pairs else set(split("roadscene_50"))
    if tests & {visible.stem for visible, _ in pairs.pairs}:
        before = len(pairs)
        pairs.pairs = [pair for pair in pairs.pairs if pair[0].stem not in tests]
        label += f", without {before - len(pairs)} test pairs of CDDFuse"
    if not len(pairs):
        raise DataError(data, "only test pairs of CDDFuse", "others to train on, or --keep-test-pairs")
    return pairs, "; ".join([label, *_range_doubts(pairs)])


def _range_doubts(pairs: PairedImages) -> list[str]:
    """What is noted of the ranges of up to eight pairs, spread over all; those that cannot be read are not judged."""
    found: dict[str, None] = {}
    for index in sorted({int(i) for i in np.linspace(0, len(pairs) - 1, min(len(pairs), JUDGED))}):
        with suppress(DataError):
            found.update(dict.fromkeys(note for note in pairs[index]["notes"] if DOUBT in note))
    return list(found)
