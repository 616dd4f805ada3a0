"""The decomposition: two sources -> base and detail, both of the fused image's shape (volume preserving).

| task | base             | detail                              |
|------|------------------|-------------------------------------|
| ps   | lms              | pan, repeated for every band - lms  |
| hmf  | upsampled HSI    | R^+ rgb - upsampled HSI             |
| ivf  | max or mean of the two low-passes | the sum of the two high-passes |

Source: DCINN (IJCV 2024), section 3, as released. Eq. 20 of the paper prints the mean of the two high-passes.

R^+ and the low-pass are kept out of mixed precision: R^+ in bfloat16 costs a trained hmf network 1.7 dB.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

DETAIL_RULES = ("sum", "mean", "max", "brighter")
BASE_RULES = ("max", "mean")
REACH = 5  # half width of the Gaussian, in pixels
_BELL = [math.exp(-(distance**2) / 2) for distance in range(-REACH, REACH + 1)]
TAPS = tuple(weight / math.fsum(_BELL) for weight in _BELL)


class PanDecomposition(nn.Module):
    """lms (B, C, H, W), pan (B, 1, H, W) -> lms, pan - lms."""

    def forward(self, lms: Tensor, pan: Tensor) -> tuple[Tensor, Tensor]:
        return lms, pan - lms


class SpectralDecomposition(nn.Module):
    """Upsampled HSI (B, N, H, W), guide (B, c, H, W) -> base, detail, each (B, N, H, W).

    The base is the HSI itself, the detail is R^+ guide - HSI, R^+ being the pseudo-inverse of R, applied per pixel.

    Args:
        srf: spectral response R, (N, c), each column summing to one: guide = HSI . R with pixels as rows.
    """

    pseudo_inverse: Tensor

    def __init__(self, srf: Tensor) -> None:
        super().__init__()
        inverse = torch.linalg.pinv(srf.double()).T  # (N, c): one spectrum per guide channel
        self.register_buffer("pseudo_inverse", inverse.to(torch.get_default_dtype()), persistent=False)

    def lift(self, guide: Tensor) -> Tensor:
        """Return R^+ guide, (B, c, H, W) -> (B, N, H, W): the spectra of least norm that have these guide values."""
        with torch.autocast(guide.device.type, enabled=False):
            return torch.einsum("nc,bchw->bnhw", self.pseudo_inverse, guide)

    def forward(self, hsi_up: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        return hsi_up, self.lift(guide) - hsi_up


class GaussianDecomposition(nn.Module):
    """visible, infrared (B, 1, H, W) -> base (fused low-passes), detail (fused high-passes), each (B, 1, H, W).

    The low-pass is an 11x11 Gaussian of sigma 1, with zeros outside the image, applied down the columns and then along
    the rows. A high-pass is an image minus its low-pass.

    Args:
        base_rule: per pixel the "max" (the TNO model) or the "mean" (the RoadScene model) of the two low-passes.
        detail_rule: how the two high-passes are combined per pixel: "sum" (released), "mean" (Eq. 20 of the paper),
            "max" (the high-pass of larger magnitude, our reading of Table 10), or "brighter" (ours: the high-pass of
            the source with the larger low-pass).
    """

    taps: Tensor

    def __init__(self, base_rule: str, detail_rule: str = "sum") -> None:
        super().__init__()
        self.base_rule, self.detail_rule = base_rule, detail_rule
        self.register_buffer("taps", torch.tensor(TAPS, dtype=torch.get_default_dtype()), persistent=False)

    def low_pass(self, image: Tensor) -> Tensor:
        """Return the low-pass (B, 1, H, W) of an image (B, 1, H, W).

        The CPU adds shifted images; other devices and exported graphs use convolutions.
        """
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
        elif self.detail_rule == "brighter":
            detail = torch.where(low_visible >= low_infrared, a, b)
        if self.base_rule == "max":
            return torch.maximum(low_visible, low_infrared), detail
        return (low_visible + low_infrared) / 2, detail


def _weighted(image: Tensor, axis: int) -> Tensor:
    """Return an image filtered by the Gaussian along one axis, zeros outside, pixels at equal distance added first."""
    side = image.shape[axis]
    wide = functional.pad(image, (0, 0, REACH, REACH) if axis == -2 else (REACH, REACH))
    total = image * TAPS[REACH]
    for i, tap in enumerate(TAPS[:REACH]):
        total.add_(wide.narrow(axis, i, side) + wide.narrow(axis, 2 * REACH - i, side), alpha=tap)
    return total
