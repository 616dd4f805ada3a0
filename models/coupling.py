"""The conditional affine coupling, the step of CINN that uses ANet's conditions.

On C channels, split as C = c1 + c2, with the condition m (K channels) at the same scale:

    x1 | x2  <- x
    y1 = x1 + F(x2 | m)
    y2 = x2 * exp(s) + G(y1 | m)
    s  = clamp * sigmoid(H(2 (y1 | m) - 1))                 ps, hmf; clamp learned, one number per channel
    s  = 2 sigmoid(H(y1 | m)) - 1                           ivf

Inverse: x2 = (y2 - G(y1 | m)) exp(-s), x1 = y1 - F(x2 | m).
"""

from functools import partial

import torch
from torch import Tensor, nn

from .invertible import Invertible
from .layers import Subnet


class AffineCoupling(Invertible):
    """Maps x = (x1 | x2) to y = (y1 | y2), both (B, C, H, W), by the equations at the top of this file.

    Args:
        channels: C.
        split: c1, the first channels, which are shifted but not scaled.
        width: channels inside F, G and H.
        condition: index of m in `conditions`.
        condition_channels: K.
        clamped: True for ps and hmf (learned clamp, H's input mapped to [-1, 1], channel norm in the gates).
    """

    def __init__(
        self, channels: int, split: int, width: int, condition: int, condition_channels: int, clamped: bool
    ) -> None:
        super().__init__()
        self.sizes = (split, channels - split)
        self.condition = condition
        c1, c2 = self.sizes
        self.clamp = nn.Parameter(torch.rand(1, c2, 1, 1)) if clamped else None
        subnet = partial(Subnet, width=width, reduction=16 if clamped else 8, normalize=clamped)
        self.F = subnet(c2 + condition_channels, c1)
        self.G = subnet(c1 + condition_channels, c2)
        self.H = subnet(c1 + condition_channels, c2)

    def _shift_and_log_scale(self, y1: Tensor, m: Tensor) -> tuple[Tensor, Tensor]:
        """Return G(y1 | m) and s, each (B, c2, H, W)."""
        if self.clamp is None:
            return self.G(y1, m), 2 * torch.sigmoid(self.H(y1, m)) - 1
        return self.G(y1, m), self.clamp * torch.sigmoid(self.H(y1, m, spread=True))

    def forward(self, x: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        m = conditions[self.condition]
        x1, x2 = x.split(self.sizes, dim=1)
        y1 = x1 + self.F(x2, m)
        shift, log_scale = self._shift_and_log_scale(y1, m)
        return torch.cat((y1, x2 * torch.exp(log_scale) + shift), dim=1)

    def inverse(self, y: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        m = conditions[self.condition]
        y1, y2 = y.split(self.sizes, dim=1)
        shift, log_scale = self._shift_and_log_scale(y1, m)
        x2 = (y2 - shift) * torch.exp(-log_scale)
        return torch.cat((y1 - self.F(x2, m), x2), dim=1)
