"""Training losses of the peers. Tensors are (B, C, H, W) in [0, 1], terms are stacked, the whole loss last.

Sources: the released training codes of CDDFuse (CVPR 2023), AUIF-Net (TCSVT 2022) and DeFusion++ (arXiv 2410.12274).
"""

import torch
from torch import Tensor
from torch.nn import functional

from utils.training.losses import ssim_map

Features = tuple[Tensor, Tensor]  # base and detail


def dissimilarity(x: Tensor, y: Tensor, window: int) -> Tensor:
    """Half of 1 - SSIM over whole images, flat where SSIM is negative; a scalar. 0.2.0 of kornia has it like this."""
    return ((1 - ssim_map(x, y, window, whole=True)).clamp(0, 1) / 2).mean()


def sobel(image: Tensor, border: str) -> Tensor:
    """(B, 1, H, W) -> (B, 2, H, W): the derivatives along x and y, not normalised; `border` as `functional.pad`."""
    step = torch.arange(-1, 2, dtype=image.dtype, device=image.device)
    kernel = (2 - step.abs())[:, None] * step  # (1, 2, 1) down, (-1, 0, 1) across
    kernels = torch.stack((kernel, kernel.T))[:, None]
    return functional.conv2d(functional.pad(image, (1, 1, 1, 1), mode=border), kernels)


def gradient_size(image: Tensor) -> Tensor:
    """|d/dx| + |d/dy|, zeros outside."""
    return sobel(image, "constant").abs().sum(1, keepdim=True)


def correlation(x: Tensor, y: Tensor) -> Tensor:
    """Mean correlation of the channels of two batches; a scalar."""
    x, y = (image - image.mean((-2, -1), keepdim=True) for image in (x, y))
    norms = torch.linalg.vector_norm(x, dim=(-2, -1)) * torch.linalg.vector_norm(y, dim=(-2, -1))
    return ((x * y).sum((-2, -1)) / (norms + torch.finfo(torch.float32).eps)).clamp(-1, 1).mean()


def _decomposition(visible: Features, infrared: Features) -> tuple[Tensor, Tensor, Tensor]:
    """Correlations of the bases and of the details, and the term that wants the first high and the second low."""
    base, detail = (correlation(v, i) for v, i in zip(visible, infrared, strict=True))
    return base, detail, detail**2 / (1.01 + base)


def cddfuse_first(images: Features, rebuilt: Features, visible: Features, infrared: Features) -> Tensor:
    """CDDFuse's first stage, (9,): SSIM and MSE of visible, of infrared, gradients, correlations, D, the loss.

    Args:
        images: visible and infrared.
        rebuilt: both through their own features.
        visible, infrared: their base and detail features.
    """
    parts = []
    for image, back in zip(images, rebuilt, strict=True):
        parts += [dissimilarity(image, back, 11), functional.mse_loss(back, image)]
    gradient = (sobel(images[0], "replicate") - sobel(rebuilt[0], "replicate")).abs().mean() / 8
    base, detail, apart = _decomposition(visible, infrared)
    total = 5 * parts[0] + parts[1] + 5 * parts[2] + parts[3] + 2 * apart + 5 * gradient
    return torch.stack((*parts, gradient, base, detail, apart, total))


def cddfuse_second(images: Features, fused: Tensor, visible: Features, infrared: Features) -> Tensor:
    """CDDFuse's second stage, (7,): intensity, gradients, their sum, correlations, D, the loss; arguments as above."""
    intensity = (fused - torch.maximum(*images)).abs().mean()
    gradient = (gradient_size(fused) - torch.maximum(*map(gradient_size, images))).abs().mean()
    base, detail, apart = _decomposition(visible, infrared)
    both = intensity + 10 * gradient
    return torch.stack((intensity, gradient, both, base, detail, apart, both + 2 * apart))


def auif_terms(image: Tensor, rebuilt: Tensor) -> Tensor:
    """AUIF-Net's, (3,): MSE, SSIM of 3x3, the loss."""
    mse, structure = functional.mse_loss(rebuilt, image), dissimilarity(image, rebuilt, 3)
    return torch.stack((mse, structure, mse + 5 * structure))


def defusion_terms(image: Tensor, masks: tuple[Tensor, Tensor], outputs: dict[str, Tensor]) -> Tensor:
    """DeFusion++'s, (6,), summed over the batch: common, two unique parts, masked modelling, fused, the loss.

    Args:
        image: (B, 3, H, W), of which two views were taken.
        masks: (B, 1, H, W) in [0, 1], how much of the image a view shows; 1: nothing else.
        outputs: "common", "unique1", "unique2", "fused" and "rec" of the network.
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
