"""The network without one of its three parts, for the ablation of the paper's Table 8.

    without | replaced by
    anet    | conditions of no channels: the couplings use only the detail
    detail  | a base of zeros, and the image itself as the detail: fused = CINN(image | ANet(a, b));
            | the image is the base image (ps, hmf), the mean of the two sources (ivf)
    cinn    | residual blocks on detail and conditions, of about as many parameters; they have no inverse

The paper names the three variants and prints their scores. It does not describe the replacements: these are our
reading.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .config import DCINNConfig
from .layers import ReflectConv, Residual


class NoConditions(nn.Module):
    """(a, b) -> one empty condition (B, 0, H / s, W / s) per scale s."""

    def __init__(self, scales: tuple[int, ...]) -> None:
        super().__init__()
        self.scales = scales

    def forward(self, base_image: Tensor, guide: Tensor) -> tuple[Tensor, ...]:
        batch, _, height, width = base_image.shape
        return tuple(base_image.new_empty(batch, 0, height // s, width // s) for s in self.scales)


class ImageMapping(nn.Module):
    """(a, b) -> (a base of zeros, the image that CINN maps to the fused image).

    Args:
        average: take the mean of a and b as the image, instead of a.
    """

    def __init__(self, average: bool) -> None:
        super().__init__()
        self.average = average

    def forward(self, base_image: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        image = (base_image + guide) / 2 if self.average else base_image
        return torch.zeros_like(image), image


class PlainMapping(nn.Module):
    """(detail | all conditions, resized to the detail) -> residual: a convolution, residual blocks, a convolution.

    The detail is added to the output of the last convolution, which starts at zero, so an untrained mapping returns the
    detail. It has no inverse: `inverse` raises ValueError.

    Args:
        bands: channels of detail and residual.
        conditions: channels of all conditions together.
        width: channels of the residual blocks.
        blocks: number of residual blocks.
    """

    def __init__(self, bands: int, conditions: int, width: int, blocks: int) -> None:
        super().__init__()
        self.conv_in = ReflectConv(bands + conditions, width)
        self.blocks = nn.Sequential(*(Residual(width, 16) for _ in range(blocks)))
        self.conv_out = ReflectConv(width, bands)
        for parameter in self.conv_out.parameters():
            nn.init.zeros_(parameter)

    def forward(self, detail: Tensor, conditions: tuple[Tensor, ...]) -> Tensor:
        sides = detail.shape[-2:]
        full = [functional.interpolate(m, size=sides, mode="bilinear", align_corners=False) for m in conditions]
        return detail + self.conv_out(self.blocks(self.conv_in(torch.cat((detail, *full), dim=1))))

    def inverse(self, y: Tensor, conditions: tuple[Tensor, ...]) -> Tensor:
        raise ValueError("a network without CINN: found a plain mapping, expected an invertible one")


def ablate(model: nn.Module) -> None:
    """Replace the part `model.config.without` of a DCINN, in place.

    Args:
        model: a DCINN; without "anet" its couplings must have been built for conditions of no channels.
    """
    config = model.config
    assert isinstance(config, DCINNConfig)
    ivf = config.task == "ivf"
    if config.without == "anet":
        model.anet = NoConditions((2, 4, 8) if ivf else (1, 2))
    elif config.without == "detail":
        model.decomposition = ImageMapping(average=ivf)
    else:
        channels, width, blocks = {"ps": (48, 64, 7), "hmf": (64, 96, 24), "ivf": (56, 96, 14)}[config.task]
        model.flow = PlainMapping(config.bands, channels, width, blocks)
