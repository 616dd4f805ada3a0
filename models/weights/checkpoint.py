"""Reading and writing of checkpoints, in our format and in the authors'.

Ours:      {"format": "dcinn", "version": 1, "config": {...}, "model": state, "extra": {...}}; the config suffices to
           rebuild the network.
Authors':  {"f_model_state_dict": state} (ps, hmf) or the bare state (ivf), under the authors' names, tensors saved from
           CUDA. Containers of other trainers and names of DataParallel are accepted as well, see containers.py.

Files are read with weights_only, so no code in them runs. Their checksums are compared here, because PyTorch does not
compare them and a flipped bit would silently change a weight.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal, cast, overload

import numpy as np
import torch
from torch import Tensor, nn

from ..config import DCINNConfig, checked_srf, config_from_dict
from ..dcinn import DCINN
from ..peers import PeerConfig
from .author_names import assert_same_entries, from_released, guess_config, to_released
from .containers import unwrapped
from .files import (
    FORMAT,
    VERSION,
    CheckpointError,
    WeightFile,
    check_version,
    filled,
    is_ours,
    open_weights,
    plain_state,
    read,
    write,
)
from .peer_files import peer_from, peer_in
from .skeleton import shapes, skeleton


def save_checkpoint(path: str | os.PathLike, model: nn.Module, extra: Mapping[str, object] | None = None) -> None:
    """Write `model` and its config to `path`, atomically.

    Args:
        path: the file; its folder must exist.
        model: a network of this project, with its config.
        extra: further plain values (numbers, strings, lists, tensors) to store beside the weights.

    Raises:
        ValueError: for a network of another project.
        OSError: naming a path, if the file cannot be written.
    """
    write(path, {**_header(model), "model": _cpu(model.state_dict()), "extra": dict(extra or {})})


def export_released(path: str | os.PathLike, model: DCINN) -> None:
    """Write `model` to `path` under the authors' names and in their container, for users of their code."""
    state = to_released(model)
    write(path, state if model.config.task == "ivf" else {"f_model_state_dict": state})


@overload
def load_pretrained(
    name: str | os.PathLike | WeightFile,
    *,
    task: str | None = ...,
    device: str | torch.device = ...,
    srf: object = ...,
    base_rule: str | None = ...,
    exact: bool | None = ...,
    method: Literal["dcinn"] = ...,
) -> DCINN: ...


@overload
def load_pretrained(
    name: str | os.PathLike | WeightFile, *, device: str | torch.device = ..., method: str | None
) -> nn.Module: ...


def load_pretrained(
    name: str | os.PathLike | WeightFile,
    *,
    task: str | None = None,
    device: str | torch.device = "cpu",
    srf: object = None,
    base_rule: str | None = None,
    exact: bool | None = None,
    method: str | None = "dcinn",
) -> nn.Module:
    """Return the network in one of our files, a file of the authors, or a named file in pretrained/.

    Args:
        name: a path, or the name of a file in pretrained/ without its suffix ("ivf_tno", "peers/auif"), or a file
            that `files.open_weights` has read. For AUIF-Net, any one of the authors' three files.
        task: "ps", "hmf" or "ivf" requires a network for that task; None accepts all.
        device: the device to put the network on.
        srf: spectral response (bands, channels). The authors' hmf files need it; for ours it must match the file's.
        base_rule: "max" or "mean". The authors' ivf files need it; for ours it replaces the file's.
        exact: sets `DCINN.exact`; None keeps the file's value.
        method: "dcinn" or one of `models.peers.PEERS` requires a network of that method; None accepts all.

    Returns:
        The network on `device`, in evaluation mode.

    Raises:
        CheckpointError: with one line, if the file is missing, truncated, foreign, or for another task or method.
    """
    path, content, _ = name if isinstance(name, WeightFile) else open_weights(name)
    try:
        content = content if is_ours(content) else unwrapped(content)
        found = peer_in(content)
        if method not in (None, found or "dcinn"):
            raise ValueError(f"found a network of {found or 'dcinn'}, expected one of {method}")
        model = peer_from(path, content, found) if found else _build(content, srf, base_rule)
    except ValueError as error:
        raise error if isinstance(error, CheckpointError) else CheckpointError(f"{path}: {error}") from None
    kind = config_of(model).task
    if task not in (None, kind):
        raise CheckpointError(f"{path}: found a network for {kind}, expected one for {task}")
    if exact is not None and isinstance(model, DCINN):
        model.exact = exact
    return model.to(device).eval()


def load_extra(name: str | os.PathLike | WeightFile) -> dict[str, object]:
    """Return the `extra` values that `save_checkpoint` stored in a file; empty for files of the authors.

    Args:
        name: a path, or a file that `files.open_weights` has read.

    Raises:
        CheckpointError: if the file is missing or damaged.
    """
    content = (name if isinstance(name, WeightFile) else read(Path(name))).content
    return dict(content["extra"]) if is_ours(content) and isinstance(content.get("extra"), dict) else {}


def _build(content: object, srf: object, base_rule: str | None) -> DCINN:
    """Return the network in `content`. Names and shapes are compared before memory for any weight is allocated."""
    ours = content if is_ours(content) else None
    if ours is not None:
        check_version(ours)
        config = config_from_dict(ours.get("config"))
        if config.task == "hmf" and srf is not None:
            given = np.array(checked_srf(srf, config.bands, config.guide_bands))
            if not np.allclose(given, np.asarray(config.srf), atol=1e-4):
                raise ValueError("found another spectral response in the file than the one given, expected the same")
        if config.task == "ivf" and base_rule is not None:
            config = replace(config, base_rule=base_rule)
        state = plain_state(ours.get("model"))
    else:
        state = plain_state(content)
        config = guess_config(state, srf, base_rule)
    if ours is not None:
        assert_same_entries(state, shapes(lambda: DCINN(config)))
    else:
        state = from_released(state, skeleton(lambda: DCINN(config)))
    return filled(lambda: DCINN(config), state)


def _cpu(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu() for name, value in state.items()}


def config_of(model: nn.Module) -> DCINNConfig | PeerConfig:
    """Return the configuration of a network. Raises ValueError for a network of another project."""
    config = getattr(model, "config", None)
    if not hasattr(config, "as_dict"):  # not by class: torch.hub loads another copy of the classes
        raise ValueError(f"found {type(model).__name__}, expected a network of this project, with its config")
    return cast("DCINNConfig | PeerConfig", config)


def _header(model: nn.Module) -> dict[str, object]:
    exact = {"exact": model.exact} if hasattr(model, "exact") else {}
    return {"format": FORMAT, "version": VERSION, "config": {**config_of(model).as_dict(), **exact}}
