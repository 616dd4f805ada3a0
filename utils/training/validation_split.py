"""The split of samples into those that are trained on and those that are held back for validation."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from data.errors import DataError
from data.patches.pansharpening import PanScenePatches
from utils.commandline.errors import UsageError

T = TypeVar("T")
SEEN = "the training images themselves (--hold-back N for others)"
MOST_SCENES = 4  # training scenes or pairs to validate on, if none are held back
MOST_SEEN, MOST_HELD = 16, 64  # patches to validate on, of the training set or held back


class Part:
    """The samples of a set with the given indices."""

    def __init__(self, source: object, numbers: Sequence[int]) -> None:
        self.source, self.numbers = source, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def sample(self, index: int, rng: np.random.Generator | None) -> dict:
        """Return sample `index` of this part."""
        return self.source.sample(self.numbers[index], rng)


def split_held(source: object, held: int, label: str) -> tuple[object, object | None]:
    """Return the samples to train on and the last `held` ones (None without any).

    Patches of one scene that overlap a held-back patch are not trained on.

    Raises:
        UsageError: if nothing is left to train on.
    """
    if held >= len(source):
        raise UsageError(f"--hold-back: found {held} of {len(source)} samples of {label}, expected fewer")
    if not held:
        return source, None
    last = range(len(source) - held, len(source))
    if isinstance(source, PanScenePatches):
        apart = source.apart_from(last)
        if not apart:
            raise UsageError(f"--hold-back: found no patch of {label} apart from the {held} held back, expected some")
        return Part(source, apart), Part(source, last)
    return Part(source, range(last.start)), Part(source, last)


def readable(load: Callable[[int], T], indices: Sequence[int], skip_bad: bool) -> list[T]:
    """Return what `load` returns for these indices.

    With `skip_bad`, samples that cannot be read are left out, with a printed line for each.

    Raises:
        DataError: for the first unreadable sample; with `skip_bad`, only if none can be read.
    """
    items, bad = [], None
    for index in indices:
        try:
            items.append(load(index))
        except DataError as error:
            bad = error
            if not skip_bad:
                raise
            print(f"left out: {error}")
    if bad is not None and not items:
        raise bad
    return items


def readable_indices(items: Sequence, skip_bad: bool) -> list[int]:
    """Return the indices of the items that can be read; each is read once and not kept. See `readable`."""

    def probed(index: int) -> int:
        items[index]
        return index

    return readable(probed, range(len(items)), skip_bad)


def validation_patches(train: object, held: object | None, skip_bad: bool) -> list[dict]:
    """Return the patches to validate on: some of those held back, or else of the training set, evenly spread."""
    shown, most = (train, MOST_SEEN) if held is None else (held, MOST_HELD)
    spread = sorted({int(i) for i in np.linspace(0, len(shown) - 1, min(len(shown), most))})
    return readable(lambda i: shown.sample(i, None), spread, skip_bad)


def validation_label(count: int, what: str, file: Path | None, held: object | None) -> str:
    """Return a description of the validation data, for the run's first lines.

    Args:
        count: number of samples.
        what: what they are, in the plural ("patches", "pairs", ...).
        file: the file they are from, if it is not the training data.
        held: None if they are training samples.
    """
    origin = f" of {file}" if file else " held back" if held is not None else f" of {SEEN}"
    one = "patch" if what == "patches" else what.removesuffix("s")
    return f"{count} {one if count == 1 else what}{origin}"
