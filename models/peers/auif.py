"""AUIF-Net: two unrolled optimisations extract base and detail of each image; a decoder fuses the sums of both.

    x <- x - eta (PReLU(BN(K^T * K * x)) - theta (I - x))        ten times, from a smooth or a detailed start
    fused = sigmoid(BN(conv(sum of bases + sum of details)))

Source: Zhao, Xu, Zhang, Liang, Zhang, Liu, "Efficient and Model-Based Infrared and Visible Image Fusion via Algorithm
Unrolling", IEEE TCSVT 32(3), 2022, as the authors' checkpoints compute it.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from .config import PeerConfig
from .padding import at_least, check_pair

LAYERS, FILTERS = 10, 64
BOX, SURROUND = 11, 19
RULES = ("sum", "average", "l1")


class AUIF(nn.Module):
    """AUIF-Net: an encoder for the base, an encoder for the detail, and a decoder; 11,631 parameters.

    Args:
        rule: how the features of the two images are combined: "sum" (all published results), "average", or "l1", which
            weights them by the 3x3 mean of their absolute values.
    """

    whole_images_only = True  # ten iterations carry the effect of a tile's border far into it

    def __init__(self, rule: str = "sum") -> None:
        super().__init__()
        if rule not in RULES:
            raise ValueError(f"rule: found {rule!r}, expected one of {', '.join(RULES)}")
        self.rule = rule
        self.base = Unrolled(box_mean)
        self.detail = Unrolled(surround_minus_centre)
        self.conv = nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect", bias=False)
        self.norm = nn.BatchNorm2d(1)

    @property
    def config(self) -> PeerConfig:
        """The configuration that a checkpoint stores."""
        return PeerConfig("auif", {"rule": self.rule})

    def forward(self, visible: Tensor, infrared: Tensor) -> Tensor:
        """Return the fused image (B, 1, H, W) of two images (B, 1, H, W), all in [0, 1].

        Sides under 10 pixels are extended to 10 by mirroring, and the fused image is cropped.
        """
        check_pair(self, visible, infrared)
        height, width = visible.shape[-2:]
        visible, infrared = at_least(SURROUND // 2 + 1, visible, infrared)
        base, detail = (combined(self.rule, encode(infrared), encode(visible)) for encode in (self.base, self.detail))
        return self.decode(base, detail)[..., :height, :width]

    def rebuild(self, image: Tensor) -> Tensor:
        """Return an image (B, 1, H, W) decoded from its own features; training brings it close to the input."""
        return self.decode(self.base(image), self.detail(image))

    def decode(self, base: Tensor, detail: Tensor) -> Tensor:
        """Return the image (B, 1, H, W) in (0, 1) decoded from base and detail features of that shape."""
        return torch.sigmoid(self.norm(self.conv(base + detail)))


class Unrolled(nn.Module):
    """One encoder, ten iterations: image (B, 1, H, W) -> features (B, 1, H, W).

    Args:
        start: maps the image to the features that the iteration starts from.
    """

    def __init__(self, start: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.start = start
        self.layers = nn.ModuleList(Iteration() for _ in range(LAYERS))

    def forward(self, image: Tensor) -> Tensor:
        least = SURROUND // 2
        if image.ndim != 4 or image.shape[1] != 1 or min(image.shape[2:]) <= least:
            raise ValueError(f"image: found shape {tuple(image.shape)}, expected (B, 1, H, W), sides over {least}")
        features = self.start(image)
        for layer in self.layers:
            features = layer(features, image)
        return features


class Iteration(nn.Module):
    """One step of the iteration; its filters K, step size eta and weight theta are learned."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(FILTERS, 1, 3, 3))
        self.eta = nn.Parameter(0.1 + 0.03 * torch.randn(1))
        self.theta = nn.Parameter(1e-3 + 1e-4 * torch.randn(1))
        self.norm = nn.BatchNorm2d(1)
        self.activation = nn.PReLU()

    def forward(self, features: Tensor, image: Tensor) -> Tensor:
        filtered = functional.conv2d(reflected(features, 1), self.kernel)
        back = functional.conv2d(reflected(filtered, 1), self.kernel.flip(-2, -1).transpose(0, 1))
        gradient = self.activation(self.norm(back)) - self.theta * (image - features)
        return features - self.eta * gradient


def reflected(image: Tensor, width: int) -> Tensor:
    """Return the image with a border of `width` reflected pixels on all sides."""
    return functional.pad(image, (width,) * 4, mode="reflect")


def box_mean(image: Tensor) -> Tensor:
    """Return the 11x11 mean of an image (B, 1, H, W), the start of the base."""
    return functional.conv2d(reflected(image, BOX // 2), image.new_full((1, 1, BOX, BOX), 1 / BOX**2))


def surround_minus_centre(image: Tensor) -> Tensor:
    """Return half the mean of the 19x19 surround minus half the pixel, (B, 1, H, W): the start of the detail.

    One filter computes it, because small rounding differences would grow in the iteration.
    """
    others = SURROUND**2 - 1
    kernel = image.new_ones(1, 1, SURROUND, SURROUND)
    kernel[..., SURROUND // 2, SURROUND // 2] = -others
    return functional.conv2d(reflected(image, SURROUND // 2), kernel / (2 * others))


def combined(rule: str, a: Tensor, b: Tensor) -> Tensor:
    """Return the features of two images, combined by one of `RULES`, in the shape of `a` and `b`."""
    if rule == "l1":
        weight_a, weight_b = (functional.avg_pool2d(x.abs(), 3, 1, 1) for x in (a, b))
        total = weight_a + weight_b
        return (weight_a * a + weight_b * b) / torch.where(total > 0, total, 1)  # 0 where both weights are 0
    return a + b if rule == "sum" else (a + b) / 2
