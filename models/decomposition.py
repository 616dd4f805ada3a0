"""The decomposing module: two sources -> base and detail, both of the fused image's size (volume preserving).

| task | base             | detail                              |
|------|------------------|-------------------------------------|
| ps   | lms              | pan, repeated for every band - lms  |
| hmf  | upsampled HSI    | R^+ rgb - upsampled HSI             |
| ivf  | max or mean of the two low-passes | the sum of the two high-passes |

Source: DCINN (IJCV 2024), section 3, as released. Eq. 20 of the paper prints the mean of the two high-passes.

Mixed precision leaves these fixed maps alone: R^+ in bfloat16 costs a trained hmf network 1.7 dB.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

DETAIL_RULES = ("sum", "mean", "max")
BASE_RULES = ("max", "mean")
REACH = 5  # of the Gaussian, in pixels
_BELL = [math.exp(-(distance**2) / 2) for distance in range(-REACH, REACH + 1)]
TAPS = tuple(weight / math.fsum(_BELL) for weight in _BELL)


class PanDecomposition(nn.Module):
    """lms (B, C, H, W), pan (B, 1, H, W) -> lms, pan - lms."""

    def forward(self, lms: Tensor, pan: Tensor) -> tuple[Tensor, Tensor]:
        return lms, pan - lms


class SpectralDecomposition(nn.Module):
    """Upsampled HSI (B, N, H, W), its guide (B, c, H, W) -> HSI, R^+ guide - HSI, R^+ applied at every pixel.

    Args:
        srf: spectral response R, (N, c), each column summing to one: guide = HSI . R with pixels as rows.
    """

    pseudo_inverse: Tensor

    def __init__(self, srf: Tensor) -> None:
        super().__init__()
        inverse = torch.linalg.pinv(srf.double()).T  # (N, c): one column an output spectrum of a guide channel
        self.register_buffer("pseudo_inverse", inverse.to(torch.get_default_dtype()), persistent=False)

    def lift(self, guide: Tensor) -> Tensor:
        """R^+ guide: (B, c, H, W) -> (B, N, H, W), the smallest spectra that have these guide values."""
        with torch.autocast(guide.device.type, enabled=False):
            return torch.einsum("nc,bchw->bnhw", self.pseudo_inverse, guide)

    def forward(self, hsi_up: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        return hsi_up, self.lift(guide) - hsi_up


class GaussianDecomposition(nn.Module):
    """visible, infrared (B, 1, H, W) -> fused low-passes, fused high-passes.

    The low-pass is an 11x11 Gaussian of sigma 1 with zeros outside the image: its rows, then its columns.

    Args:
        base_rule: "max" (the TNO model) or "mean" (the RoadScene model), per pixel.
        detail_rule: "sum", as released, "mean", as Eq. 20 of the paper, or "max", the one of larger magnitude per pixel
            (our reading of Table 10's word).
    """

    taps: Tensor

    def __init__(self, base_rule: str, detail_rule: str = "sum") -> None:
        super().__init__()
        self.base_rule, self.detail_rule = base_rule, detail_rule
        self.register_buffer("taps", torch.tensor(TAPS, dtype=torch.get_default_dtype()), persistent=False)

    def low_pass(self, image: Tensor) -> Tensor:
        """(B, 1, H, W) -> the same: sums of shifted images on a CPU, convolutions elsewhere and in exported graphs."""
        if image.device.type == "cpu" and not torch.jit.is_tracing() and not torch.compiler.is_compiling():
            return _weighted(_weighted(image, -2), -1)
        down = functional.conv2d(image, self.taps.view(1, 1, -1, 1), padding=(REACH, 0))
        return functional.conv2d(down, self.taps.view(1, 1, 1, -1), padding=(0, REACH))

    def forward(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(visible.device.type, enabled=False):
            low_visible, low_infrared = self.low_pass(visible), self.low_pass(infrared)
        a, b = visible - low_visible, infrared - low_infrared
        detail = torch.where(a.abs() >= b.abs(), a, b) if self.detail_rule == "max" else a + b
        if self.detail_rule == "mean":
            detail = detail / 2
        if self.base_rule == "max":
            return torch.maximum(low_visible, low_infrared), detail
        return (low_visible + low_infrared) / 2, detail


def _weighted(image: Tensor, axis: int) -> Tensor:
    """The image times the Gaussian along one axis, zeros outside; the two pixels at one distance are added first."""
    side = image.shape[axis]
    wide = functional.pad(image, (0, 0, REACH, REACH) if axis == -2 else (REACH, REACH))
    total = image * TAPS[REACH]
    for i, tap in enumerate(TAPS[:REACH]):
        total.add_(wide.narrow(axis, i, side) + wide.narrow(axis, 2 * REACH - i, side), alpha=tap)
    return total
