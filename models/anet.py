"""ANet, the auxiliary network: it maps both sources to the conditions of CINN, one tensor per scale.

Source: the released networks of DCINN (IJCV 2024).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .fast import strips
from .layers import ReflectConv, Residual
from .recompute import Recomputed


def _half(x: Tensor) -> Tensor:
    """Return the image at half size: means of 2x2 pixels, equal to bilinear resizing (align_corners false)."""
    return functional.avg_pool2d(x, 2)


class _Trunk(Recomputed):
    """A convolution and two residual blocks: (base image | guide) -> `width` features at full scale."""

    def __init__(self, c_in: int, width: int, reduction: int) -> None:
        super().__init__()
        self.conv_in = ReflectConv(c_in, width)
        self.res = nn.Sequential(Residual(width, reduction), Residual(width, reduction))

    def forward(self, base_image: Tensor, guide: Tensor) -> tuple[Tensor, ...]:
        """Return the conditions of a pair (B, c, H, W), H and W multiples of 2 (two scales) or 8 (three scales)."""
        if strips.pay(base_image, self.conv_in.out_channels):
            return strips.trunk(self, base_image, guide)
        t = self.conv_in(torch.cat((base_image, guide), dim=1))  # (B, width, H, W)
        for residual in self.res:
            t = self.run(residual, t)
        return self.tails(t)

    def tails(self, t: Tensor) -> tuple[Tensor, ...]:
        """Return the conditions, one tensor per scale, from the trunk's features t (B, width, H, W)."""
        raise NotImplementedError


class TwoScaleANet(_Trunk):
    """ANet of ps and hmf: conditions at full and half scale.

    Args:
        c_in: channels of base image and guide together.
        width: features of the trunk (32 ps, 64 hmf).
        conditions: channels of the two conditions ((16, 32) ps, (32, 32) hmf).
    """

    def __init__(self, c_in: int, width: int, conditions: tuple[int, int]) -> None:
        super().__init__(c_in, width, reduction=16)
        self.tail_full = ReflectConv(width, conditions[0])
        self.tail_half = nn.Conv2d(width, conditions[1], 3)

    def tails(self, t: Tensor) -> tuple[Tensor, ...]:
        # The released network convolves first and then reflects the result; `ReflectConv` reflects first.
        half = _half(functional.pad(self.tail_half(t), (1, 1, 1, 1), mode="reflect"))
        return self.tail_full(t), half


class ThreeScaleANet(_Trunk):
    """ANet of ivf: conditions of 8, 16 and 32 channels at half, quarter and eighth scale."""

    conditions = (8, 16, 32)

    def __init__(self) -> None:
        super().__init__(2, 16, reduction=8)
        self.tail1, self.tail2, self.tail3 = (ReflectConv(16, channels) for channels in self.conditions)

    def tails(self, t: Tensor) -> tuple[Tensor, ...]:
        half = _half(t)
        quarter = _half(half)
        return self.tail1(half), self.tail2(quarter), _half(self.tail3(quarter))
