"""Mirrored borders, and the check of an image pair."""

import torch
from torch import Tensor, nn

from ..inputs import check_kind


def mirrored(image: Tensor, pads: tuple[int, int, int, int]) -> Tensor:
    """Return an image (B, C, H, W) extended by mirroring, by `pads` pixels: left, right, top, bottom, however wide."""
    left, right, top, bottom = pads
    for axis, (before, after) in ((2, (top, bottom)), (3, (left, right))):
        side = image.shape[axis]
        index = torch.arange(-before, side + after, device=image.device)
        if side > 1:
            index = index.remainder(2 * side - 2)
            index = torch.where(index < side, index, 2 * side - 2 - index)
        else:
            index = index * 0
        image = image.index_select(axis, index)
    return image


def at_least(side: int, *images: Tensor) -> list[Tensor]:
    """Return images (B, C, H, W) with sides under `side` extended to it by mirroring at the right and the bottom."""
    return [mirrored(x, (0, max(side - x.shape[3], 0), 0, max(side - x.shape[2], 0))) for x in images]


def check_pair(network: nn.Module, visible: Tensor, infrared: Tensor) -> None:
    """Raise TypeError or ValueError unless both images are (B, 1, H, W), of one shape, and fit the network.

    They fit if they have its precision and device, see `check_kind`.
    """
    check_kind(network, visible=visible, infrared=infrared)
    images = (visible, infrared)
    if any(x.ndim != 4 or x.shape[1] != 1 or 0 in x.shape or x.shape != images[0].shape for x in images):
        found = " and ".join(str(tuple(x.shape)) for x in images)
        raise ValueError(f"images: found shapes {found}, expected (B, 1, H, W) twice")
