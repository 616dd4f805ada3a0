"""The state that a training needs to continue exactly where it stopped, as plain values in a checkpoint."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from data.errors import DataError
from models import CheckpointError
from models.weights.checkpoint import load_extra
from models.weights.files import WeightFile

from .fingerprint import is_same

LATER = ("bits", "sensor", "ratio", "scenes", "data")  # settings that files of earlier versions lack
COUNTERS = ("epoch", "step", "total", "skipped", "best")  # attributes of `engine.Trainer`


def random_state() -> dict[str, object]:
    """Return the states of the global random number generators of Python, NumPy and PyTorch."""
    name, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002  the global one, as others may use it
    version, numbers, following = random.getstate()
    return {
        "python": [version, list(numbers), following],
        "numpy": [name, torch.from_numpy(keys.astype(np.int64)), position, has_gauss, gauss],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_state(state: dict) -> None:
    """Restore the generators to the states that `random_state` returned; CUDA's only with the same number of GPUs."""
    version, numbers, following = state["python"]
    random.setstate((version, tuple(numbers), following))
    name, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), position, has_gauss, gauss))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])


def seed_everything(seed: int) -> None:
    """Seed the global random number generators of Python, NumPy and PyTorch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    torch.manual_seed(seed)


def training_state(file: WeightFile, settings: dict) -> dict:
    """Return the training state in a checkpoint.

    Args:
        file: the checkpoint.
        settings: the settings of this run, which must be those of the checkpoint's run.

    Raises:
        DataError: for weights without a training state.
        CheckpointError: for a damaged state, and a run with other settings.
    """
    path, state = file.path, load_extra(file).get("training")
    if not isinstance(state, dict):
        raise DataError(path, "weights without a training state", "a last.pth of a training run")
    with fitting(path):
        check_same(path, state["settings"], settings)
    return state


def checked_counters(state: dict) -> dict[str, object]:
    """Return the entries of `COUNTERS`. Raises ValueError unless each is an integer >= 0 (`best`: number or None)."""
    found = {name: state[name] for name in COUNTERS}
    for name, value in found.items():
        count = type(value) is int and value >= 0
        if not (count if name != "best" else value is None or type(value) in (int, float)):
            raise ValueError(f"{name} {_short(value)}")
    return found


WAYS = ("foreach", "fused")  # implementations of an optimiser that agree up to rounding


def load_optimiser(optimiser: torch.optim.Adam, state: dict) -> None:
    """Load the moments of every weight into the optimiser, which keeps its own implementation (`WAYS`).

    Raises:
        ValueError: for the state of another optimiser, other shapes, and numbers that are not finite.
    """
    settings = [{k: v for k, v in group.items() if k not in ("params", "lr")} for group in optimiser.param_groups]
    ways = [{name: group[name] for name in WAYS} for group in optimiser.param_groups]
    groups = [{**group, **own} for group, own in zip(state["param_groups"], ways, strict=True)]
    optimiser.load_state_dict({**state, "param_groups": groups})
    for group, expected in zip(optimiser.param_groups, settings, strict=True):
        for name, value in expected.items():
            if type(group[name]) is not type(value) or group[name] != value:
                raise ValueError(f"{name} {_short(group[name])} of the optimiser, not {value}")
        for weight in group["params"]:
            _check_moments(optimiser.state.get(weight, {}), weight)


def _check_moments(moments: dict[str, torch.Tensor], weight: torch.Tensor) -> None:
    if not moments:  # the weight has had no gradient yet
        return
    if set(moments) != {"step", "exp_avg", "exp_avg_sq"}:
        raise ValueError(f"{', '.join(map(str, moments))} for a weight in the optimiser")
    for name, value in moments.items():
        shape = torch.Size() if name == "step" else weight.shape
        if not _is_like(value, shape, weight.dtype if name != "step" else torch.float32):
            raise ValueError(f"{name} in the optimiser that are not {tuple(shape)} finite numbers")


def checked_average(weights: dict | None, model: torch.nn.Module) -> dict[str, torch.Tensor] | None:
    """Return a moving average of this network's weights. Raises ValueError if it does not fit the network."""
    if weights is None:
        return None
    own = model.state_dict()
    for name, value in own.items():
        if not _is_like(weights[name], value.shape, value.dtype):
            raise ValueError(f"an average of {name} that are not {tuple(value.shape)} finite numbers")
    return {name: weights[name] for name in own}


def _is_like(value: object, shape: torch.Size, dtype: torch.dtype) -> bool:
    if not isinstance(value, torch.Tensor) or value.layout != torch.strided or value.is_meta:
        return False
    if any(step == 0 and side > 1 for step, side in zip(value.stride(), value.shape, strict=True)):
        return False  # an expanded tensor cannot be updated in place
    return value.shape == shape and value.dtype == dtype and bool(torch.isfinite(value).all())


@contextmanager
def fitting(path: Path) -> Iterator[None]:
    """Turn any missing or ill-typed entry of a training state into one CheckpointError.

    Raises:
        CheckpointError: see above.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
        if isinstance(error, CheckpointError):
            raise
        why = " ".join(str(error).split())[:100]
        raise CheckpointError(
            f"{path}: found a training state that does not fit ({type(error).__name__}: {why}), expected the last.pth "
            "of such a run"
        ) from None


def check_same(path: object, found: dict, expected: dict) -> None:
    """Compare the settings of a checkpoint with this run's.

    Args:
        path: the checkpoint, for messages.
        found: its settings.
        expected: this run's settings.

    Raises:
        CheckpointError: for the first setting that differs.
    """
    for name, value in expected.items():
        if name in LATER and name not in found:
            continue
        if name == "data" and isinstance(value, list):
            if not is_same(found[name], value):
                raise CheckpointError(f"{path}: found a run on other data of the same size, expected the same data")
            continue
        if _plain(found.get(name)) != _plain(value):
            if isinstance(value, dict) and isinstance(found.get(name), dict):
                check_same(path, _named(name, found[name]), _named(name, value))
            was = _short(found.get(name, "unknown"))
            raise CheckpointError(f"{path}: found a run with {name} {was}, expected {_short(value)}, as asked for now")


def _named(name: str, entries: dict) -> dict:
    return {f"{name}.{key}": value for key, value in entries.items()}


def _plain(value: object) -> object:
    """Return tuples as lists and dictionaries without None, as files have them that lack a newer setting."""
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items() if entry is not None}
    return [_plain(entry) for entry in value] if isinstance(value, tuple | list) else value


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) < 80 else f"{text[:76]} ..."
