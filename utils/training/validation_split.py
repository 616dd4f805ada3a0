"""Which samples are trained on and which are held back to validate with."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from data.errors import DataError
from data.patches.pansharpening import PanScenePatches
from utils.commandline.errors import UsageError

T = TypeVar("T")
SEEN = "the training images themselves (--hold-back N for others)"
MOST_SCENES = 4  # of those trained on that are validated, where none are held back
MOST_SEEN, MOST_HELD = 16, 64  # patches that are validated: of the training set, held back


class Part:
    """The samples of a set with these numbers."""

    def __init__(self, source: object, numbers: Sequence[int]) -> None:
        self.source, self.numbers = source, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def sample(self, index: int, rng: np.random.Generator | None) -> dict:
        """Sample `index` of this part."""
        return self.source.sample(self.numbers[index], rng)


def split_held(source: object, held: int, label: str) -> tuple[object, object | None]:
    """The samples to train on, and the last `held` ones; patches of one scene that overlap those are left out."""
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
    """The samples of these indices; with skip_bad, a line for each that cannot be read, and at least one that can."""
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
    """The indices of the items that can be read, each read once and not kept; as `readable`."""

    def probed(index: int) -> int:
        items[index]
        return index

    return readable(probed, range(len(items)), skip_bad)


def validation_patches(train: object, held: object | None, skip_bad: bool) -> list[dict]:
    """Patches that are held back, or else some of the training set, from all over it."""
    shown, most = (train, MOST_SEEN) if held is None else (held, MOST_HELD)
    spread = sorted({int(i) for i in np.linspace(0, len(shown) - 1, min(len(shown), most))})
    return readable(lambda i: shown.sample(i, None), spread, skip_bad)


def validation_label(count: int, what: str, file: Path | None, held: object | None) -> str:
    """What a validation is of, for the run's first lines."""
    origin = f" of {file}" if file else " held back" if held is not None else f" of {SEEN}"
    one = "patch" if what == "patches" else what.removesuffix("s")
    return f"{count} {one if count == 1 else what}{origin}"
