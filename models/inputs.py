"""Checks that a network's inputs are floating-point tensors of its precision, on its device."""

import torch
from torch import Tensor, nn


def check_kind(network: nn.Module, **images: object) -> None:
    """Refuse images that would make PyTorch fail somewhere inside the network.

    Args:
        network: its first weight sets the expected precision and device. Under autocast float16, bfloat16 and float32
            may mix.
        images: the images as keyword arguments; messages use these names with spaces in place of underscores.

    Raises:
        TypeError: for anything but a tensor.
        ValueError: for an integer type, another precision or another device.
    """
    if torch.compiler.is_compiling():
        return
    weight = next(network.parameters(), None)
    for key, image in images.items():
        name = key.replace("_", " ")
        if not isinstance(image, Tensor):
            raise TypeError(f"{name}: found {type(image).__name__}, expected a torch.Tensor (torch.from_numpy)")
        if not image.is_floating_point():
            raise ValueError(f"{name}: found {image.dtype}, expected floating point in [0, 1]")
        if weight is None:  # a replica of nn.DataParallel
            continue
        if image.device != weight.device:
            raise ValueError(
                f"{name}: found a tensor on {image.device}, expected one on {weight.device}, as the network"
            )
        if image.dtype != weight.dtype and not _cast(image, weight):
            raise ValueError(
                f"{name}: found {image.dtype}, expected {weight.dtype}, as the network (or network.to({image.dtype}))"
            )


def _cast(image: Tensor, weight: Tensor) -> bool:
    """Whether autocast converts both to one precision."""
    return torch.is_autocast_enabled(image.device.type) and torch.float64 not in (image.dtype, weight.dtype)
