"""The loss of the contrast recipe, which is ours: it compares with a target image computed from the two sources.

    m      = the brighter of the sources + structure * share * (the darker one - its low-pass)
    t      = T(m): slope 1.25 by day with a toe and a shoulder, slope 1 where the pair is dark
    target = t + grain * gain * (t - G(t)),  G the Gaussian of the network's decomposition; half of it where dark

The share, 0 to 1, measures how much more structure the darker source has at a pixel than the brighter one. It is near 1
where the brighter one is flat or saturated (glare). The grain factor falls to 0 where t varies as little as noise.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from .losses import ssim

SLOPE, TOE, SHOULDER = 1.25, 0.15, 0.94  # slope of the curve; values of t where its exponential ends begin
DARK, LIT = 0.15, 0.3  # mean of the darker source: below DARK the curve has slope 1, above LIT it has SLOPE
DARK_GAIN = 0.5  # the share of the gain that is left below DARK, where sharpening costs most VIF
NOISE = 0.03  # standard deviation at which the grain factor is one half; images are in [0, 1]
RADIUS, SIGMA = 5, 1.0  # radius and sigma of G, in pixels
WIDE = 4.0  # sigma of the low-pass that is subtracted to get structure: trunks and poles are wider than an edge


class ContrastWeights(NamedTuple):
    """The weights of `contrast_terms`, in their order, then the parameters of the target.

    Attributes:
        intensity, gradient, ssim_infrared, ssim_visible, range: weights of the terms.
        gain: amplification of details in the target.
        structure: factor of the darker source's structure in the target; 0 is the maximum of the sources.
    """

    intensity: float
    gradient: float
    ssim_infrared: float
    ssim_visible: float
    range: float
    gain: float
    structure: float


def tone(x: Tensor, contrast: Tensor | float = 1.0) -> Tensor:
    """Return T(x), (B, 1, H, W); the curve T is increasing and has a continuous slope.

    Args:
        x: brightness (B, 1, H, W) in [0, 1].
        contrast: 1 for a slope of 1.25 about white, 0 for slope 1; a number, or (B, 1, 1, 1) with one per image.
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
    """Return the target image of the contrast recipe, (B, 1, H, W), not clipped; the formula is above.

    Args:
        infrared, visible: (B, 1, H, W) in [0, 1].
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
    day = lit * lit * (3 - 2 * lit)
    t = tone(brighter.clamp(0, 1), day)
    detail = t - smoothed(t)
    energy = smoothed(detail * detail, 2.0)
    return t + gain * (DARK_GAIN + (1 - DARK_GAIN) * day) * energy / (energy + NOISE**2) * detail


def contrast_terms(fused: Tensor, infrared: Tensor, visible: Tensor, gain: float, structure: float) -> Tensor:
    """Return the five terms of the contrast loss, (5,); smaller is better.

    They are the L1 distance to the target, the L1 distance of the gradients, 1 - SSIM to each source, and the mean
    excess outside [0, 1].

    Args:
        fused, infrared, visible: (B, 1, H, W).
        gain, structure: parameters of the target, see `ContrastWeights`.
    """
    target = contrast_target(infrared, visible, gain, structure)
    gradient = sum((fused.diff(dim=axis) - target.diff(dim=axis)).abs().mean() for axis in (-2, -1))
    outside = (functional.relu(fused - 1) + functional.relu(-fused)).mean()
    both = (1 - ssim(fused, infrared), 1 - ssim(fused, visible))
    return torch.stack(((fused - target).abs().mean(), gradient, *both, outside))


def smoothed(x: Tensor, sigma: float = SIGMA) -> Tensor:
    """Return an image (B, 1, H, W) filtered by a Gaussian, with the border pixels repeated outside; sigma in pixels."""
    radius = round(RADIUS * sigma / SIGMA)
    distance = torch.arange(-radius, radius + 1, dtype=x.dtype, device=x.device)
    weights = torch.exp(-(distance**2) / (2 * sigma**2))
    weights = weights / weights.sum()
    x = functional.pad(x, (radius,) * 4, mode="replicate")
    return functional.conv2d(functional.conv2d(x, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1))
