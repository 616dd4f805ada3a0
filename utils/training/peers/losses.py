"""Training losses of the other methods. Images are (B, C, H, W) in [0, 1]; terms are stacked, the weighted sum last.

Sources: the released training codes of CDDFuse (CVPR 2023), AUIF-Net (TCSVT 2022) and DeFusion++ (arXiv 2410.12274).
"""

import torch
from torch import Tensor
from torch.nn import functional

from utils.training.losses import ssim_map

Features = tuple[Tensor, Tensor]  # base and detail


def dissimilarity(x: Tensor, y: Tensor, window: int) -> Tensor:
    """Return half of 1 - SSIM over whole images, a scalar, 0 to 0.5: negative SSIM counts as 0, as in kornia 0.2.0."""
    return ((1 - ssim_map(x, y, window, whole=True)).clamp(0, 1) / 2).mean()


def sobel(image: Tensor, border: str) -> Tensor:
    """Return the Sobel derivatives of (B, 1, H, W) along x and y, (B, 2, H, W), not normalised.

    `border` is the padding mode of `functional.pad`.
    """
    step = torch.arange(-1, 2, dtype=image.dtype, device=image.device)
    kernel = (2 - step.abs())[:, None] * step  # (1, 2, 1) down, (-1, 0, 1) across
    kernels = torch.stack((kernel, kernel.T))[:, None]
    return functional.conv2d(functional.pad(image, (1, 1, 1, 1), mode=border), kernels)


def gradient_size(image: Tensor) -> Tensor:
    """Return |d/dx| + |d/dy| of (B, 1, H, W), zeros outside, in the same shape."""
    return sobel(image, "constant").abs().sum(1, keepdim=True)


def correlation(x: Tensor, y: Tensor) -> Tensor:
    """Return the correlation of two batches (B, C, H, W), averaged over samples and channels; a scalar, -1 to 1."""
    x, y = (image - image.mean((-2, -1), keepdim=True) for image in (x, y))
    norms = torch.linalg.vector_norm(x, dim=(-2, -1)) * torch.linalg.vector_norm(y, dim=(-2, -1))
    return ((x * y).sum((-2, -1)) / (norms + torch.finfo(torch.float32).eps)).clamp(-1, 1).mean()


def _decomposition(visible: Features, infrared: Features) -> tuple[Tensor, Tensor, Tensor]:
    """Return the correlations of bases and of details, and D, which is small if only the bases are correlated."""
    base, detail = (correlation(v, i) for v, i in zip(visible, infrared, strict=True))
    return base, detail, detail**2 / (1.01 + base)


def cddfuse_first(images: Features, rebuilt: Features, visible: Features, infrared: Features) -> Tensor:
    """Return the terms of CDDFuse's first stage, (9,).

    They are `dissimilarity` and MSE of visible, the same of infrared, gradients, the correlations of bases and of
    details, D (see `_decomposition`), and the loss.

    Args:
        images: visible and infrared image, (B, 1, H, W) in [0, 1].
        rebuilt: both images, decoded from their own features, in the shape of `images`.
        visible, infrared: base and detail features of each image, (B, C, H, W).
    """
    parts = []
    for image, back in zip(images, rebuilt, strict=True):
        parts += [dissimilarity(image, back, 11), functional.mse_loss(back, image)]
    gradient = (sobel(images[0], "replicate") - sobel(rebuilt[0], "replicate")).abs().mean() / 8
    base, detail, apart = _decomposition(visible, infrared)
    total = 5 * parts[0] + parts[1] + 5 * parts[2] + parts[3] + 2 * apart + 5 * gradient
    return torch.stack((*parts, gradient, base, detail, apart, total))


def cddfuse_second(images: Features, fused: Tensor, visible: Features, infrared: Features) -> Tensor:
    """Return the terms of CDDFuse's second stage, (7,).

    They are intensity, gradients, their weighted sum, the correlations of bases and of details, D (see
    `_decomposition`), and the loss.

    Args:
        images: visible and infrared image, (B, 1, H, W) in [0, 1].
        fused: the fused image, (B, 1, H, W).
        visible, infrared: base and detail features of each image, (B, C, H, W).
    """
    intensity = (fused - torch.maximum(*images)).abs().mean()
    gradient = (gradient_size(fused) - torch.maximum(*map(gradient_size, images))).abs().mean()
    base, detail, apart = _decomposition(visible, infrared)
    both = intensity + 10 * gradient
    return torch.stack((intensity, gradient, both, base, detail, apart, both + 2 * apart))


def auif_terms(image: Tensor, rebuilt: Tensor) -> Tensor:
    """Return the terms of AUIF-Net, (3,): MSE, SSIM with a 3x3 window, and the loss."""
    mse, structure = functional.mse_loss(rebuilt, image), dissimilarity(image, rebuilt, 3)
    return torch.stack((mse, structure, mse + 5 * structure))


def defusion_terms(image: Tensor, masks: tuple[Tensor, Tensor], outputs: dict[str, Tensor]) -> Tensor:
    """Return the terms of DeFusion++, summed over the batch, (6,).

    They are the common part, two unique parts, masked modelling, the fused image, and the loss.

    Args:
        image: (B, 3, H, W), the image that two views were made from.
        masks: for each view (B, 1, H, W) in [0, 1], the share of the image in it; 1 is the unchanged image.
        outputs: the network's "common", "unique1", "unique2", "fused" and "rec", see `DeFusion.parts`.
    """
    first, second = masks
    both = first * second

    def distance(name: str, goal: Tensor) -> Tensor:
        return (outputs[name] - goal).abs().mean((1, 2, 3)).sum()

    structure = ((1 - ssim_map(outputs["fused"], image, whole=True)) / 2).mean((1, 2, 3)).sum()
    terms = (
        20 * distance("common", both * image),
        10 * distance("unique1", (first - both) * image),
        10 * distance("unique2", (second - both) * image),
        2 * distance("rec", image),
        100 * distance("fused", image) + 50 * structure,
    )
    return torch.stack((*terms, sum(terms)))
