"""Loads networks of the other methods from our files and from their authors' files, and the teachers of DeFusion++."""

import os
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from ..peers import DeFusion, build_peer
from ..peers.mae_teachers import Teacher
from ..peers.vit import SIDE
from .author_names import assert_same_entries
from .containers import unwrapped
from .files import CheckpointError, check_version, filled, is_ours, open_weights, plain_state, read
from .peer_author_names import auif_files, from_authors, method_of
from .skeleton import shapes

TEACHERS = ("model_encoder1.", "model_encoder2.")  # frozen networks in a file of DeFusion++'s second stage


def peer_in(content: object) -> str | None:
    """Return the method ("auif", ...) whose network a file holds; None for a DCINN and for unknown content."""
    if not is_ours(content):
        return method_of(unwrapped(content))
    config = content.get("config")
    return str(config.get("method")) if isinstance(config, dict) and "method" in config else None


def peer_from(path: Path, content: object, method: str) -> nn.Module:
    """Return the network in a file. Names and shapes are compared before memory for any weight is allocated.

    Args:
        path: the file; the authors' two other files of AUIF-Net are read from the same folder.
        content: the file's content, as `files.read` returns it; of the authors' files, what `unwrapped` returns of it.
        method: "auif", "cddfuse" or "defusion", as `peer_in` returns it for this content.

    Raises:
        ValueError: if entries are missing, unknown or of another shape, or weights are not finite.
    """
    options: dict = {}
    if is_ours(content):
        check_version(content)
        options = {name: value for name, value in content["config"].items() if name != "method"}
        state = plain_state(content.get("model"))
    else:
        parts = [unwrapped(read(part).content) for part in auif_files(path)] if method == "auif" else [content]
        state = {name: value for part in parts for name, value in from_authors(method, part).items()}
        if method == "defusion" and any(name.startswith("latent_heads.") for name in state):
            options["latent"] = True
            state = {name: value for name, value in state.items() if not name.startswith(TEACHERS)}
    assert_same_entries(state, shapes(lambda: build_peer(method, options)))
    model = filled(lambda: build_peer(method, options), state)
    if isinstance(model, DeFusion) and not is_ours(content):
        model.long_skip = _likelier_skip(model)
    return model


@torch.inference_mode()
def _likelier_skip(model: DeFusion) -> float:
    """Return the factor of the long skip, 1.0 or 0.0, with which fusing an image with itself reproduces it better.

    The authors' code has both factors, and their files do not record which one they were trained with.
    """
    generator = torch.Generator().manual_seed(0)
    image = functional.interpolate(torch.rand(1, 3, 14, 14, generator=generator), size=SIDE, mode="bilinear")
    model.eval()

    def distance(factor: float) -> float:
        model.long_skip = factor
        return float((model.window(image, image) - image).abs().mean())

    return min((1.0, 0.0), key=distance)


def load_teacher(name: str | os.PathLike) -> Teacher:
    """Return a teacher with the encoder weights of MAE's published file mae_pretrain_vit_base.pth, {"model": {...}}.

    Args:
        name: see `find_weights`.

    Raises:
        CheckpointError: with one line, if the file is missing, truncated, or holds another network.
    """
    path, content, _ = open_weights(name)
    try:
        found = from_authors("defusion", unwrapped(content))
        own = {f"encoder.{n}": v for n, v in found.items() if not n.startswith(("decoder", "mask"))}
        assert_same_entries(own, shapes(Teacher))
        return filled(Teacher, own)
    except ValueError as error:
        raise error if isinstance(error, CheckpointError) else CheckpointError(f"{path}: {error}") from None
