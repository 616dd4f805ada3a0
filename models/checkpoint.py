"""Checkpoints: our files, which rebuild the network by themselves, and the authors' files, both read and written.

Ours:      {"format": "dcinn", "version": 1, "config": {...}, "model": state, "extra": {...}}
Authors':  {"f_model_state_dict": state} (ps, hmf) or the bare state (ivf), their names, tensors saved from CUDA.

Files are read with weights_only: no code in them runs. PyTorch does not look at their checksums, so these are compared
here: a flipped bit would be another weight.
"""

import io
import os
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import torch
from torch import Tensor

from data.errors import one_line
from data.whole import whole_file

from .config import checked_srf, config_from_dict
from .dcinn import DCINN
from .released import assert_same_entries, from_released, guess_config, to_released

PRETRAINED = Path(__file__).resolve().parent.parent / "pretrained"
FORMAT, VERSION = "dcinn", 1
LONGEST = 1000  # characters of a message
PLAIN = {torch.uint8, torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64}


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; the message is one line: file, what was found, what was expected."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message, LONGEST))  # names in a file have what they like


def save_checkpoint(path: str | os.PathLike, model: DCINN, extra: Mapping[str, object] | None = None) -> None:
    """Write `model` with its config to `path`, complete or not at all.

    Args:
        path: the file; its folder must exist.
        extra: further plain values (numbers, strings, lists, tensors) to keep beside the weights.
    """
    _write(path, {**_header(model), "model": _cpu(model.state_dict()), "extra": dict(extra or {})})


def export_released(path: str | os.PathLike, model: DCINN) -> None:
    """Write `model` under the authors' names and in their container, for users of their code."""
    state = to_released(model)
    _write(path, state if model.config.task == "ivf" else {"f_model_state_dict": state})


def load_pretrained(
    name: str | os.PathLike,
    *,
    task: str | None = None,
    device: str | torch.device = "cpu",
    srf: object = None,
    base_rule: str | None = None,
    exact: bool | None = None,
) -> DCINN:
    """A network in evaluation mode from our file, the authors' file, or a name in pretrained/.

    Args:
        name: a path, or the name of a file in pretrained/ without its suffix ("ivf_tno").
        task: "ps", "hmf" or "ivf" if the file must be of that task.
        device: where the network goes.
        srf: spectral response (bands, channels); the authors' hmf file needs it. Ours hold theirs.
        base_rule: "max" or "mean"; the authors' ivf file needs it. Ours hold theirs, which this one replaces.
        exact: see `DCINN.exact`; None keeps the file's.

    Raises:
        CheckpointError: one line, where the file is missing, truncated, foreign, or not of this task.
    """
    path = find_weights(name)
    content = _read(path)
    try:
        model = _build(content, srf, base_rule)
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from None
    config = model.config
    if task is not None and config.task != task:
        raise CheckpointError(f"{path}: found a network for {config.task}, expected one for {task}")
    if exact is not None:
        model.exact = exact
    return model.to(device).eval()


def holds_config(name: str | os.PathLike) -> bool:
    """Whether this is a file of ours, which says its spectral response and base rule itself."""
    return _is_ours(_read(find_weights(name)))


def load_extra(path: str | os.PathLike) -> dict[str, object]:
    """What `save_checkpoint` kept beside the weights."""
    content = _read(Path(path))
    return dict(content["extra"]) if _is_ours(content) and isinstance(content.get("extra"), dict) else {}


def _build(content: object, srf: object, base_rule: str | None) -> DCINN:
    """The network in `content`; names and shapes are compared before memory is taken for any weight."""
    ours = content if _is_ours(content) else None
    if ours is not None:
        if type(ours.get("version")) is not int or ours["version"] != VERSION:
            raise ValueError(f"found format version {ours.get('version')!r}, expected {VERSION}")
        config = config_from_dict(ours.get("config"))
        if config.task == "hmf" and srf is not None:
            given = np.array(checked_srf(srf, config.bands, config.guide_bands))
            if not np.allclose(given, np.asarray(config.srf), atol=1e-4):
                raise ValueError("found another spectral response in the file than the one given, expected the same")
        if config.task == "ivf" and base_rule is not None:
            config = replace(config, base_rule=base_rule)
        state = _state(ours.get("model"))
    else:
        if isinstance(content, Mapping) and "f_model_state_dict" in content:
            content = content["f_model_state_dict"]
        state = _state(content)
        config = guess_config(state, srf, base_rule)
    with torch.device("meta"):
        skeleton = DCINN(config)
    if ours is not None:
        assert_same_entries(state, {name: value.shape for name, value in skeleton.state_dict().items()})
    else:
        state = from_released(state, skeleton)
    with torch.random.fork_rng(devices=[]):  # loading must not move the caller's random numbers
        model = DCINN(config)
    model.load_state_dict(state)
    for name, value in model.state_dict().items():  # as the network has them: 1e300 is finite in the file alone
        if not torch.isfinite(value).all():
            raise ValueError(f"{name}: found NaN or infinity, expected finite weights")
    return model


def _is_ours(content: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(content, dict) and content.get("format") == FORMAT


def _state(state: object) -> dict[str, Tensor]:
    if not isinstance(state, Mapping) or not state:
        found = "an empty dictionary" if isinstance(state, Mapping) else type(state).__name__
        raise ValueError(f"found {found}, expected a dictionary of tensors")
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise ValueError(f"found {name!r}: {type(value).__name__}, expected names with tensors")
        if value.layout != torch.strided or value.is_nested or value.is_meta or value.dtype not in PLAIN:
            raise ValueError(f"{name}: found a {value.dtype} tensor, layout {value.layout}, expected plain numbers")
    return dict(state)


def _cpu(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu() for name, value in state.items()}


def _header(model: DCINN) -> dict[str, object]:
    return {"format": FORMAT, "version": VERSION, "config": {**model.config.as_dict(), "exact": model.exact}}


def find_weights(name: str | os.PathLike) -> Path:
    """The file of a path, or of a name in pretrained/; CheckpointError where there is none."""
    path = Path(name)
    if path.is_file():
        return path
    if path.is_dir():
        raise CheckpointError(f"{path}: found a folder, expected a checkpoint file")
    if path.name == str(name) and not path.suffix:
        shelf = PRETRAINED / f"{name}.pth"
        if shelf.is_file():
            return shelf
        known = ", ".join(sorted(p.stem for p in PRETRAINED.glob("*.pth"))) or "none yet"
        raise CheckpointError(
            f"{name}: found no such file, expected a checkpoint or a name in pretrained/ (there: {known})"
        )
    raise CheckpointError(f"{path}: found no such file, expected a checkpoint")


def _read(path: Path) -> object:
    if not path.is_file():
        raise CheckpointError(f"{path}: found no such file, expected a checkpoint")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _check_sums(path)
            return torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    # A damaged file surfaces as almost any type (RuntimeError, UnpicklingError, EOFError, MemoryError, ...).
    except Exception as error:
        why = type(error).__name__
        if isinstance(error, pickle.UnpicklingError) and "weights_only" in str(error):
            why = "it holds objects other than weights, which are not loaded"
        raise CheckpointError(f"{path}: found no readable checkpoint ({why}), expected a file of weights") from None


def _check_sums(path: Path) -> None:
    """CheckpointError where a part of a zip file, as PyTorch writes them since 1.6, is not what its checksum says."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise CheckpointError(f"{path}: found a checkpoint whose part {damaged} is damaged, expected a complete file")


def _write(path: str | os.PathLike, content: object) -> None:
    buffer = io.BytesIO()  # PyTorch's own writer hides a full disk behind an internal error
    torch.save(content, buffer)
    with whole_file(path) as file:
        file.write_bytes(buffer.getbuffer())
