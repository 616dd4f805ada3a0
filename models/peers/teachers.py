"""The teachers of DeFusion++'s second stage: masked autoencoders' encoders (MAE, He et al., CVPR 2022), frozen."""

import os

import torch
from torch import Tensor, nn

from ..weights.author_names import assert_same_entries
from ..weights.files import CheckpointError, filled, find_weights, read
from ..weights.peer_author_names import from_authors
from .vit import Encoder

WRAPPERS = ("model", "state_dict")
WIDTH, HEADS, DEPTH = 768, 12, 12


class Teacher(nn.Module):
    """MAE's ViT-B/16, nothing masked: (B, 3, 224, 224) in [0, 1] -> tokens (B, 197, 768) after the last norm."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder(WIDTH, [HEADS] * DEPTH)
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> Tensor:
        return self.encoder.norm(self.encoder(image)[-1])


def load_teacher(name: str | os.PathLike) -> Teacher:
    """A teacher from MAE's published file (mae_pretrain_vit_base.pth, {"model": {...}}); a decoder in it is left out.

    Raises:
        CheckpointError: one line, where the file is missing, truncated, or of another network.
    """
    path = find_weights(name)
    content = read(path)
    try:
        inner = next((content[key] for key in WRAPPERS if isinstance(content, dict) and key in content), content)
        found = from_authors("defusion", inner)
        own = {f"encoder.{n}": v for n, v in found.items() if not n.startswith(("decoder", "mask"))}
        with torch.device("meta"):
            skeleton = Teacher()
        assert_same_entries(own, {name: value.shape for name, value in skeleton.state_dict().items()})
        return filled(Teacher, own)
    except ValueError as error:
        raise error if isinstance(error, CheckpointError) else CheckpointError(f"{path}: {error}") from None
