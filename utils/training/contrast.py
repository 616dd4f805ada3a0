"""The contrast recipe's loss, ours: a target image computed from the two sources, without a network.

    m      = the brighter of the sources + structure * share * (the darker one - its low-pass)
    t      = T(m): slope 1.25 by day with a toe and a shoulder, slope 1 where the pair is dark
    target = t + grain * gain * (t - G(t)),  G the Gaussian of the network's decomposition

The share is how much more structure the darker source has at a pixel than the brighter one, 0 to 1; where the brighter
one is flat or saturated (glare) it is near 1. The grain factor falls to 0 where t varies as little as noise does.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from .losses import ssim

SLOPE, TOE, SHOULDER = 1.25, 0.15, 0.94  # the last two are values of t, where its exponential ends begin
DARK, LIT = 0.15, 0.3  # means of the darker source: below, the curve has slope 1; above, SLOPE
NOISE = 0.03  # standard deviation, of 1: half of the gain
RADIUS, SIGMA = 5, 1.0  # of G
WIDE = 4.0  # sigma of the low-pass that structure is apart from: trunks and poles are wider than an edge


class ContrastWeights(NamedTuple):
    """Of `contrast_terms`, in their order; then what the target is made with.

    Attributes:
        intensity, gradient, ssim_infrared, ssim_visible, range: weights of the terms.
        gain: of the details.
        structure: how much of the darker source's structure is added, 0 for the plain maximum.
    """

    intensity: float
    gradient: float
    ssim_infrared: float
    ssim_visible: float
    range: float
    gain: float
    structure: float


def tone(x: Tensor, contrast: Tensor | float = 1.0) -> Tensor:
    """The curve T, increasing and with a continuous slope; (B, 1, H, W) in [0, 1] -> the same shape in (0, 1).

    Args:
        x: brightness.
        contrast: 1 for the slope of 1.25 about white, 0 for slope 1; a number, or one for each image (B, 1, 1, 1).
    """
    line = x + contrast * (SLOPE - 1) * (x - 1)
    toe = TOE * torch.exp((line.clamp(max=TOE) - TOE) / TOE)
    rest = 1 - SHOULDER
    shoulder = 1 - rest * torch.exp(-(line.clamp(min=SHOULDER) - SHOULDER) / rest)
    lifted = torch.where(line < TOE, toe, line)
    dark = torch.where(line < TOE, torch.lerp(line.clamp(min=0), toe, _as_weight(contrast, toe)), lifted)
    return torch.where(line > SHOULDER, shoulder, dark)


def _as_weight(contrast: Tensor | float, like: Tensor) -> Tensor:
    return torch.as_tensor(contrast, dtype=like.dtype, device=like.device).expand_as(like)


def contrast_target(infrared: Tensor, visible: Tensor, gain: float = 0.3, structure: float = 0.0) -> Tensor:
    """The image that the contrast recipe asks for, see above; (B, 1, H, W) each -> (B, 1, H, W), not clipped.

    Args:
        infrared, visible: in [0, 1].
        gain, structure: see `ContrastWeights`.
    """
    brighter, darker = torch.maximum(infrared, visible), torch.minimum(infrared, visible)
    if structure:
        low = smoothed(brighter, WIDE), smoothed(darker, WIDE)
        ours, theirs = (smoothed((x - m).abs(), WIDE) for x, m in zip((brighter, darker), low, strict=True))
        share = ((theirs - ours) / (theirs + ours + NOISE)).clamp(min=0)
        brighter = brighter + structure * share * (darker - low[1])
    mean = torch.minimum(*(source.mean((-2, -1), keepdim=True) for source in (infrared, visible)))
    lit = ((mean - DARK) / (LIT - DARK)).clamp(0, 1)
    t = tone(brighter.clamp(0, 1), lit * lit * (3 - 2 * lit))
    detail = t - smoothed(t)
    energy = smoothed(detail * detail, 2.0)
    return t + gain * energy / (energy + NOISE**2) * detail


def contrast_terms(fused: Tensor, infrared: Tensor, visible: Tensor, gain: float, structure: float) -> Tensor:
    """The terms of the contrast loss, (5,); smaller is better.

    L1 to the target, L1 of the gradients to its gradients, 1 - SSIM to either source, the mean of what is outside
    [0, 1].

    Args:
        fused, infrared, visible: (B, 1, H, W).
        gain, structure: of the target.
    """
    target = contrast_target(infrared, visible, gain, structure)
    gradient = sum((fused.diff(dim=axis) - target.diff(dim=axis)).abs().mean() for axis in (-2, -1))
    outside = (functional.relu(fused - 1) + functional.relu(-fused)).mean()
    both = (1 - ssim(fused, infrared), 1 - ssim(fused, visible))
    return torch.stack(((fused - target).abs().mean(), gradient, *both, outside))


def smoothed(x: Tensor, sigma: float = SIGMA) -> Tensor:
    """Gaussian means, the border repeated; (B, 1, H, W) -> the same shape."""
    radius = round(RADIUS * sigma / SIGMA)
    distance = torch.arange(-radius, radius + 1, dtype=x.dtype, device=x.device)
    weights = torch.exp(-(distance**2) / (2 * sigma**2))
    weights = weights / weights.sum()
    x = functional.pad(x, (radius,) * 4, mode="replicate")
    return functional.conv2d(functional.conv2d(x, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1))
