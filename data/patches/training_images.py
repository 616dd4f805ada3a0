"""Which scenes and pairs of a folder are trained on: those of no published test set."""

from collections.abc import Sequence
from pathlib import Path

from data import CAVE, Harvard, PairedImages
from data.errors import DataError
from data.hyperspectral import CAVE_TEST
from data.samples import sample_pairs
from data.splits import split


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


def training_pairs(data: Path | None, keep_test_pairs: bool) -> tuple[PairedImages | list[dict], str]:
    """The pairs of a folder without the 50 test pairs, or the sample pairs, and where they are from."""
    if data is None:
        return sample_pairs(), "the embedded sample"
    pairs, label = PairedImages(data), str(data)
    tests = set() if keep_test_pairs else set(split("roadscene_50"))
    if tests & {visible.stem for visible, _ in pairs.pairs}:
        before = len(pairs)
        pairs.pairs = [pair for pair in pairs.pairs if pair[0].stem not in tests]
        label += f", without {before - len(pairs)} test pairs of CDDFuse"
    if not len(pairs):
        raise DataError(data, "only test pairs of CDDFuse", "others to train on, or --keep-test-pairs")
    return pairs, label
