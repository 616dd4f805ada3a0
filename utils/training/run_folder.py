"""The folder of a run: what may begin or go on there, and its checkpoints last.pth and previous.pth.

A run that was killed before its first checkpoint leaves run.json, a train.csv of one row at most, TensorBoard's files,
and best.pth where it died between the two files of its first epoch. A new run may begin there; with --resume it does so
by the options that run.json has.
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

PATIENCE = 10.0  # seconds, in which the loader processes of a run that was killed end
CHECKPOINTS = ("last.pth", "previous.pth", "best.pth")


def opened(args: TrainingArguments) -> WeightFile | None:
    """The checkpoint to go on from, None for a run that begins; refuses to mix two runs in a folder.

    Raises:
        UsageError, DataError, CheckpointError: one line.
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
    """Whether a run began there that was killed before its first last.pth."""
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
    """Refuse to begin, under --resume, another run than the one that was killed before its first checkpoint.

    Args:
        args: the options.
        shared: of `Settings`.

    Raises:
        UsageError, CheckpointError: one line.
    """
    file = args.output / "run.json"
    begun = _described(args.output)
    if isinstance(begun.get("settings"), dict):
        check_same(file, begun["settings"], shared)
        if begun.get("weights") != args.weights:
            found = f"--weights {begun['weights']}" if begun.get("weights") else "no --weights"
            raise UsageError(f"{file}: found a run that began with {found}, expected the same, or no --resume")


def data_of(folder: Path) -> str | None:
    """What a run says its data are; None where that is not known."""
    found = _described(folder).get("data")
    return None if found is None else str(found)


@contextmanager
def claimed(settings: Settings, fresh: bool) -> Iterator[None]:
    """The folder of a run, made where it is not there, for this run alone until the block ends.

    Args:
        settings: of the run.
        fresh: whether it begins, and does not go on from a checkpoint.

    Raises:
        UsageError: for a run that begins where another one began and ended since the options were checked.
        BlockingIOError: where another run is at work there.
    """
    settings.folder.mkdir(parents=True, exist_ok=True)
    with alone(settings.folder, PATIENCE):
        if fresh and settings.last.exists():
            raise UsageError(f"{settings.last}: found an earlier run, expected --resume or another --output")
        remove_leftovers(settings.folder)
        yield


def remove_leftovers(folder: Path) -> None:
    """Half-written checkpoints that a killed run left, see `models.save_checkpoint`."""
    names = "|".join(map(re.escape, CHECKPOINTS))
    ours = re.compile(rf"\.({names})\.[a-z0-9_]{{8}}{re.escape(SUFFIX)}")
    for path in folder.iterdir():
        if ours.fullmatch(path.name) and path.is_file():
            path.unlink(missing_ok=True)


def keep_previous(settings: Settings) -> None:
    """Give last.pth the name previous.pth too, before another takes its own: both are whole at every moment."""
    temporary = settings.folder / f".{settings.previous.name}.{'0' * 8}{SUFFIX}"
    temporary.unlink(missing_ok=True)
    second_name(settings.last, temporary)
    temporary.replace(settings.previous)
    temporary.unlink(missing_ok=True)  # two names of one file stay: nothing is replaced


def _has_no_checkpoint(folder: Path) -> bool:
    """Whether nothing shows that a run there came past its first epoch: its row comes just before last.pth."""
    if any((folder / name).exists() for name in CHECKPOINTS[:2]):
        return False
    try:
        return len(log_rows(folder / "train.csv")) <= 1
    except DataError:
        return False


def _others(file: Path) -> str:
    """What can be done without a checkpoint, at the end of a message."""
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
