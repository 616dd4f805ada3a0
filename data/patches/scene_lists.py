"""Which hyperspectral scenes are trained on."""

from collections.abc import Sequence
from pathlib import Path

from data import CAVE, Harvard
from data.errors import DataError
from data.hyperspectral import CAVE_TEST


def training_scenes(folder: Path, names: Sequence[str] | None, bits: int | None) -> tuple[CAVE | Harvard, str]:
    """The scenes of a folder, each read when asked for and not kept, and a label.

    Args:
        folder: of Harvard's .mat files, or of CAVE's scenes.
        names: the scenes; by default all of Harvard, and all of CAVE but the 11 test scenes.
        bits: of CAVE's band images.

    Raises:
        DataError: where nothing is left to train on.
    """
    if folder.is_dir() and any(p.suffix == ".mat" for p in folder.iterdir()):
        harvard = Harvard(folder, tuple(names) if names else None)
        return harvard, f"{folder} (Harvard, {len(harvard)} scenes)"
    chosen = tuple(names or (s for s in CAVE(folder, bits=bits).scenes if s not in CAVE_TEST))
    if not chosen:
        raise DataError(folder, "only test scenes", "others to train on, or --scenes NAME ...")
    cave = CAVE(folder, chosen, bits=bits)
    return cave, f"{folder} (CAVE, {len(cave)} scenes)"
