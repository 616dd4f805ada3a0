"""The folder of a run: whether a run may start or resume there, and its checkpoints last.pth and previous.pth.

A run that was killed before its first last.pth leaves run.json, a train.csv of at most one row, and TensorBoard's
files; also best.pth, if it died between the two files of its first epoch. A new run may start in such a folder. With
--resume it must have the options in run.json.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.errors import DataError
from data.files.regular_file import check_replaceable, instead, read_small
from models import CheckpointError
from models.weights.atomic import SUFFIX
from models.weights.checkpoint import load_extra
from models.weights.files import WeightFile, open_weights
from utils.commandline.errors import UsageError
from utils.output.folder_lock import alone
from utils.output.move_all import second_name

from .arguments import TrainingArguments
from .logs import log_rows
from .resume import check_same
from .settings import Settings

PATIENCE = 10.0  # seconds to wait for the loader processes of a killed run to end
CHECKPOINTS = ("last.pth", "previous.pth", "best.pth")


def opened(args: TrainingArguments) -> WeightFile | None:
    """Return the checkpoint to resume from, or None for a new run.

    Raises:
        UsageError, DataError, CheckpointError: for a missing or unreadable checkpoint, an output folder that cannot be
            used, and options that would mix two runs in a folder.
    """
    nearest = next(place for place in (args.output.absolute(), *args.output.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise UsageError(f"{nearest}: found a file, expected a folder for the run")
    if not os.access(nearest, os.W_OK):
        raise UsageError(f"{nearest}: found a folder that cannot be written, expected another --output")
    last, previous, best = (args.output / name for name in CHECKPOINTS)
    check_replaceable(last, previous, best, *(args.output / name for name in ("train.csv", "run.json")))
    if not args.resume:
        log = [] if _has_no_checkpoint(args.output) else [args.output / "train.csv"]
        for earlier in (last, previous, best, *log):
            if earlier.exists():
                raise UsageError(f"{earlier}: found an earlier run, expected --resume or another --output")
        return None
    file = last if args.resume is True else args.resume
    if args.resume is True and began_without_checkpoint(args.output):
        return None
    if args.weights:
        raise UsageError("--weights: found beside --resume, which has its own, expected one of them")
    if not file.is_file():
        raise DataError(file, instead(file), f"a last.pth to go on from{_others(file)}")
    there = [own for own in (last, previous) if own.exists()]
    if there and not any(file.samefile(own) for own in there):
        raise UsageError(f"{there[0]}: found another run than {file}, expected another --output")
    try:
        return open_weights(file)
    except CheckpointError as error:
        raise CheckpointError(f"{error}{_others(file)}") from None


def began_without_checkpoint(folder: Path) -> bool:
    """Whether the folder holds a run that was killed before its first last.pth."""
    if not any((folder / name).exists() for name in ("run.json", "train.csv", "tensorboard")):
        return False
    best = folder / "best.pth"
    if not _has_no_checkpoint(folder):
        return False
    try:
        return not best.exists() or load_extra(best).get("epoch") == 1
    except CheckpointError:
        return False


def check_same_run(args: TrainingArguments, shared: dict) -> None:
    """Check that --resume starts the same run as the one that was killed before its first checkpoint.

    Args:
        args: the options.
        shared: this run's `Settings.shared`.

    Raises:
        UsageError, CheckpointError: for the first difference from run.json.
    """
    file = args.output / "run.json"
    begun = _described(args.output)
    if isinstance(begun.get("settings"), dict):
        check_same(file, begun["settings"], shared)
        if begun.get("weights") != args.weights:
            found = f"--weights {begun['weights']}" if begun.get("weights") else "no --weights"
            raise UsageError(f"{file}: found a run that began with {found}, expected the same, or no --resume")


def data_of(folder: Path) -> str | None:
    """Return the label of the data in a run's run.json; None if there is none."""
    found = _described(folder).get("data")
    return None if found is None else str(found)


def weights_of(folder: Path) -> str | None:
    """Return the weights that a run began with, by its run.json; None if there are none."""
    found = _described(folder).get("weights")
    return None if found is None else str(found)


@contextmanager
def claimed(settings: Settings, fresh: bool) -> Iterator[None]:
    """Create the run's folder if needed, and lock it for this run inside the block.

    Args:
        settings: the run's settings.
        fresh: whether the run is new; False if it resumes a checkpoint.

    Raises:
        UsageError: if another run has written a checkpoint there since the options were checked.
        BlockingIOError: if another run is using the folder.
    """
    settings.folder.mkdir(parents=True, exist_ok=True)
    with alone(settings.folder, PATIENCE):
        if fresh and settings.last.exists():
            raise UsageError(f"{settings.last}: found an earlier run, expected --resume or another --output")
        remove_leftovers(settings.folder)
        yield


def remove_leftovers(folder: Path) -> None:
    """Delete the half-written checkpoints that a killed run left, see `models.save_checkpoint`."""
    names = "|".join(map(re.escape, CHECKPOINTS))
    ours = re.compile(rf"\.({names})\.[a-z0-9_]{{8}}{re.escape(SUFFIX)}")
    for path in folder.iterdir():
        if ours.fullmatch(path.name) and path.is_file():
            path.unlink(missing_ok=True)


def keep_previous(settings: Settings) -> None:
    """Make previous.pth a second name of last.pth, before a new last.pth replaces it; both are complete at any time."""
    temporary = settings.folder / f".{settings.previous.name}.{'0' * 8}{SUFFIX}"
    temporary.unlink(missing_ok=True)
    second_name(settings.last, temporary)
    temporary.replace(settings.previous)
    temporary.unlink(missing_ok=True)  # if both name one file, replace() does nothing


def _has_no_checkpoint(folder: Path) -> bool:
    """Whether the folder has no last.pth, no previous.pth, and at most one row in train.csv.

    The first row is written just before the first last.pth, so such a run did not get past its first epoch.
    """
    if any((folder / name).exists() for name in CHECKPOINTS[:2]):
        return False
    try:
        return len(log_rows(folder / "train.csv")) <= 1
    except DataError:
        return False


def _others(file: Path) -> str:
    """Return the end of a message about an unusable checkpoint: the other files that could be used."""
    previous, best = file.with_name("previous.pth"), file.with_name("best.pth")
    ways = []
    if previous.is_file() and previous.name != file.name:
        ways.append(f"the checkpoint before it is there: --resume {previous}")
    if best.is_file() and best.name != file.name:
        ways.append(f"the best weights are there, to begin with: --weights {best} and another --output")
    return "".join(f"; {way}" for way in ways)


def _described(folder: Path) -> dict:
    try:
        found = json.loads(read_small(folder / "run.json"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
