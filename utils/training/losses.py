"""Training losses. Tensors are (B, C, H, W) in [0, 1].

Source: the released training scripts of DCINN (IJCV 2024), except for `maxima_terms`, which is ours. The weights of the
terms are in the training scripts.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

SSIM_WINDOW, SSIM_SIGMA = 11, 1.5
STRUCTURE_WINDOW = 11


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean SSIM (Wang et al., 2004), a scalar: 11x11 Gaussian of sigma 1.5, valid region, data range 1.

    Args:
        x, y: (B, C, H, W), sides of at least 11.
    """
    return ssim_map(x, y).mean()


def ssim_map(x: Tensor, y: Tensor, window: int = SSIM_WINDOW, whole: bool = False) -> Tensor:
    """Return the SSIM of every pixel and channel, data range 1, Gaussian of sigma 1.5.

    Args:
        x, y: (B, C, H, W), sides of at least `window`; with `whole`, sides of over half of it.
        window: side of the Gaussian in pixels, odd.
        whole: reflect the images at the border and return (B, C, H, W); else return the valid region,
            (B, C, H - window + 1, W - window + 1).
    """
    distance = torch.arange(window, dtype=x.dtype, device=x.device) - window // 2
    weights = torch.exp(-(distance**2) / (2 * SSIM_SIGMA**2))
    weights = weights / weights.sum()
    local_mean = means_of_windows(weights, x.shape[-2:], whole)

    mean_x, mean_y = local_mean(x), local_mean(y)
    variance_x = local_mean(x * x) - mean_x**2
    variance_y = local_mean(y * y) - mean_y**2
    covariance = local_mean(x * y) - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    contrast = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return luminance * contrast


def means_of_windows(weights: Tensor, sides: Sequence[int], reflect: bool = False) -> Callable[[Tensor], Tensor]:
    """Return a function that maps (B, C, H, W) to its sums over square windows, weighted along both axes.

    It uses matrix products on a CPU and convolutions elsewhere, whichever is faster.

    Args:
        weights: (window,), on the image's device.
        sides: H and W of the image.
        reflect: reflect the image at the border, so that the sums are (B, C, H, W); else they are of the valid region.
    """
    by = means_by_matrices if weights.device.type == "cpu" else means_by_convolutions
    return by(weights, sides, reflect)


def means_by_matrices(weights: Tensor, sides: Sequence[int], reflect: bool) -> Callable[[Tensor], Tensor]:
    """Return the function of `means_of_windows` by matrix products, ten times faster on a CPU."""

    def windows(side: int) -> Tensor:  # (windows, pixels)
        pixels = torch.eye(side, dtype=weights.dtype, device=weights.device)
        if reflect:
            pixels = functional.pad(pixels[None], (len(weights) // 2,) * 2, mode="reflect")[0]
        return (pixels.unfold(1, len(weights), 1) @ weights).T

    down, across = (windows(side) for side in sides)
    return lambda image: down @ image @ across.T


def means_by_convolutions(weights: Tensor, sides: Sequence[int], reflect: bool) -> Callable[[Tensor], Tensor]:
    """Return the function of `means_of_windows` by convolutions, for GPUs, where matrix products may run in TF32."""

    def means(image: Tensor) -> Tensor:
        planes = image.flatten(0, 1)[:, None]
        if reflect:
            planes = functional.pad(planes, (len(weights) // 2,) * 4, mode="reflect")
        planes = functional.conv2d(functional.conv2d(planes, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1))
        return planes.unflatten(0, image.shape[:2])[:, :, 0]

    return means


def structure(x: Tensor) -> Tensor:
    """Return S(x) = 1 - 11x11 box sum of (x - right-shifted x)^2 + (x - down-shifted x)^2, zeros outside; as x."""
    right = functional.pad(x, (1, 0))[..., :-1]
    down = functional.pad(x, (0, 0, 1, 0))[..., :-1, :]
    energy = functional.pad((x - right) ** 2 + (x - down) ** 2, (STRUCTURE_WINDOW // 2,) * 4)
    return 1 - means_of_windows(x.new_ones(STRUCTURE_WINDOW), energy.shape[-2:])(energy)


def ivf_terms(
    fused: Tensor,
    infrared: Tensor,
    visible: Tensor,
    norm: Callable[[Tensor], Tensor] = torch.linalg.vector_norm,
) -> Tensor:
    """Return the four terms of the infrared-visible loss, (4,); smaller is better.

    They are 1 - SSIM(fused, infrared), 1 - SSIM(fused, visible), ||S(fused) - S(infrared)|| and
    ||S(fused) - S(visible)||. The norms are over the whole batch, so they grow with batch and patch size, as released.

    Args:
        fused, infrared, visible: (B, 1, H, W).
        norm: L2 norm of a difference, (B, 1, H, W) -> a scalar; a training passes the norm over all its processes.
    """
    s = structure(fused)
    return torch.stack(
        (
            1 - ssim(fused, infrared),
            1 - ssim(fused, visible),
            norm(s - structure(infrared)),
            norm(s - structure(visible)),
        )
    )


class MaximaWeights(NamedTuple):
    """The weights of `maxima_terms`, in their order, and the gain of the gradients."""

    intensity: float
    gradient: float
    ssim_infrared: float
    ssim_visible: float
    differences: float
    range: float
    gain: float


def maxima_terms(fused: Tensor, infrared: Tensor, visible: Tensor, gain: float = 1.0) -> Tensor:
    """Return the six terms of the tuned infrared-visible recipe, (6,); smaller is better. They are ours.

    They are the L1 distance to the maximum of the sources; the L1 distance of the gradients to `gain` times the
    stronger source gradient; 1 - SSIM to each source; 2 - SCD, the sum of the correlations of (fused - one source) with
    the other source (Aslantas and Bendes, 2015); and the mean excess outside [0, 1].

    Args:
        fused, infrared, visible: (B, 1, H, W).
        gain: factor of the source gradients; over 1 makes details stronger than in the sources.
    """
    intensity = (fused - torch.maximum(infrared, visible)).abs().mean()
    gradient = fused.new_zeros(())
    for axis in (-2, -1):
        ours, a, b = (image.diff(dim=axis) for image in (fused, infrared, visible))
        gradient = gradient + (ours - gain * torch.where(a.abs() > b.abs(), a, b)).abs().mean()
    shared = _correlation(fused - infrared, visible) + _correlation(fused - visible, infrared)
    outside = (functional.relu(fused - 1) + functional.relu(-fused)).mean()
    both = (1 - ssim(fused, infrared), 1 - ssim(fused, visible))
    return torch.stack((intensity, gradient, *both, (2 - shared).mean(), outside))


def _correlation(x: Tensor, y: Tensor) -> Tensor:
    """Return the correlation of two images (B, 1, H, W) as (B, 1); 0 if one is constant."""
    x, y = (image - image.mean(dim=(-2, -1), keepdim=True) for image in (x, y))
    return (x * y).sum((-2, -1)) / ((x * x).sum((-2, -1)) * (y * y).sum((-2, -1)) + 1e-12).sqrt()


def full(x: Tensor) -> Tensor:
    """Return half-precision numbers as float32; float32 and float64 stay."""
    return x if x.dtype == torch.float64 else x.float()


def l1(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean absolute difference of x and y, of one shape, as a scalar in float32 or float64."""
    return full(x - y).abs().mean()


def with_total(terms: Tensor, weights: Tensor) -> Tensor:
    """Return (1 + n,): the weighted sum of n terms, which is minimised, then the terms."""
    return torch.cat(((terms * weights).sum()[None], terms))
