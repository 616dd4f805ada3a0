"""DeFusion++: attention between two images separates their common and unique content, and fuses them.

    E_i = encoder(image_i)          C = common(E_1, E_2)          U_i = unique(E_other, E_i) + residual(E_i)
    F = fuse(C, U_1) + fuse(C, U_2)          heads decode C, U_1, U_2 and F to images

A second stream with its own weights (_skip) does the same with the first two levels of the encoder. Its tokens are
added to the tokens of the first stream.

Source: Liang, Jiang, Ma, Liu, Ma, "Fusion from Decomposition: A Self-Supervised Approach for Image Fusion and Beyond",
arXiv 2410.12274, as the released code computes it. The released code does not define sizes other than 224 or the order
of the two images at test time; these are our decisions, see `DeFusion.forward`.
"""

from collections.abc import Sequence
from itertools import product
from math import isfinite

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..inputs import check_kind
from .config import PeerConfig
from .padding import mirrored
from .vit import GRID, SIDE, Block, CrossBlock, Encoder, Head, image_of, sine_positions

WIDTH, HEADS = 192, 16
BORDER, STEP = 16, 106
KEPT = GRID**2 // 4  # number of patches that the masked modelling sees
LUMA = (0.299, 0.587, 0.114)
ORDERS = ("12", "21")
Tokens = tuple[Tensor, Tensor]  # tokens of the deep stream and of the skip stream, each (B, 197, 192)


class DeFusion(nn.Module):
    """DeFusion++ of the first training stage (13,420,800 trained parameters) or of the second (297,216 more).

    Args:
        long_skip: the factor s in refine(F) + s F, which the head decodes.
        orders: "12", "21" or both: the order of the two images in the common part. With both, the two fused images are
            averaged.
        step: pixels between two windows, 1 to 224.
        latent: add the second stage's two heads, which are trained to match the tokens of frozen MAE teachers.
    """

    whole_images_only = True  # `forward` cuts its own windows

    luma: Tensor

    def __init__(
        self, long_skip: float = 1.0, orders: Sequence[str] = ORDERS, step: int = STEP, latent: bool = False
    ) -> None:
        super().__init__()
        if not orders or set(orders) - set(ORDERS):
            raise ValueError(f"orders: found {orders}, expected some of {', '.join(ORDERS)}")
        if type(latent) is not bool or type(long_skip) not in (int, float) or not isfinite(long_skip):
            raise ValueError(f"long_skip, latent: found {long_skip!r}, {latent!r}, expected a number, a truth value")
        if type(step) is not int or not 1 <= step <= SIDE:
            raise ValueError(f"step: found {step}, expected 1 to {SIDE} pixels")
        self.long_skip, self.orders, self.step = long_skip, tuple(orders), step
        self.encoder = Encoder(WIDTH, [6] * 11 + [12], [0.1] * 11 + [0.0])
        self.level_norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(2))
        self.common, self.common_skip = (CrossBlock(WIDTH, HEADS, common=True) for _ in range(2))
        self.unique, self.unique_skip, self.fuse, self.fuse_skip = (CrossBlock(WIDTH, HEADS) for _ in range(4))
        self.unique_residual, self.unique_residual_skip = (Block(WIDTH, HEADS) for _ in range(2))
        self.common_head, self.unique_head, self.fuse_head = (Head(WIDTH, HEADS) for _ in range(3))
        self.refine = nn.Sequential(*(Block(WIDTH, HEADS) for _ in range(2)))
        self.masked, self.latent = MaskedModelling(), latent
        self.register_buffer("luma", torch.tensor(LUMA).view(3, 1, 1), persistent=False)
        if latent:
            self.unique_norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(2))
            self.latent_heads = nn.ModuleList(nn.Linear(WIDTH, 768) for _ in range(2))
        for module in self.encoder.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.xavier_uniform_(self.encoder.patch_embed.weight.view(WIDTH, -1))

    @property
    def config(self) -> PeerConfig:
        """The configuration that a checkpoint stores."""
        options = {"long_skip": self.long_skip, "orders": list(self.orders), "step": self.step}
        return PeerConfig("defusion", {**options, "latent": True} if self.latent else options)

    def forward(self, visible: Tensor, infrared: Tensor) -> Tensor:
        """Fuse two images in windows of 224 x 224 pixels.

        The images are reflected by 16 pixels on all sides, as the released script does. Sides still under 224 are
        reflected further, at the right and the bottom. Windows lie `step` pixels apart, the last ones flush with the
        border, and their fused images are averaged. With both `orders` the order of the two images does not matter.
        The attributes `orders`, `step` and `long_skip` of a loaded network may be set.

        Args:
            visible, infrared: (B, 1 or 3, H, W) in [0, 1]; a multi-focus or multi-exposure pair works as well.

        Returns:
            The fused image in the inputs' shape, clamped to [0, 1]. For images of one channel it is the luma (BT.601)
            of the network's three output channels.
        """
        check_kind(self, visible=visible, infrared=infrared)
        if visible.shape != infrared.shape or visible.ndim != 4 or visible.shape[1] not in (1, 3):
            found = f"{tuple(visible.shape)} and {tuple(infrared.shape)}"
            raise ValueError(f"images: found shapes {found}, expected (B, 1 or 3, H, W) twice")
        height, width = visible.shape[2:]
        more = (0, max(SIDE - 2 * BORDER - width, 0), 0, max(SIDE - 2 * BORDER - height, 0))
        first, second = (
            mirrored(mirrored(image.expand(-1, 3, -1, -1), (BORDER,) * 4), more) for image in (infrared, visible)
        )
        total, count = torch.zeros_like(first), torch.zeros_like(first[:1, :1])
        for top, left in product(*(starts(side, self.step) for side in first.shape[2:])):
            window = (..., slice(top, top + SIDE), slice(left, left + SIDE))
            total[window] += self.window(first[window], second[window])
            count[window] += 1
        fused = (total / count)[..., BORDER : BORDER + height, BORDER : BORDER + width].clamp(0, 1)
        if visible.shape[1] == 3:
            return fused
        return (fused * self.luma).sum(1, keepdim=True)

    def window(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the fused image of one window, averaged over `orders`, not clamped; all images (B, 3, 224, 224)."""
        encoded = self.encoded(first), self.encoded(second)
        unique = self.unique_tokens(*encoded)
        common = [self.common_tokens(*encoded, order) for order in self.orders]
        fused = [self.fused_image(self.fused_tokens(c, *unique)) for c in common]
        return torch.stack(fused).mean(0)

    def parts(self, first: Tensor, second: Tensor, order: str, noise: Tensor | None = None) -> dict[str, Tensor]:
        """Return all images that the training losses compare.

        Args:
            first, second: (B, 3, 224, 224).
            order: "12" or "21".
            noise: (B, 196), one number per patch; the masked modelling sees the 49 patches with the smallest numbers.

        Returns:
            A dictionary with "common", "unique1", "unique2", "fused" and, if noise is given, "rec" (the reconstruction
            by masked modelling), each (B, 3, 224, 224).
        """
        encoded = self.encoded(first), self.encoded(second)
        common, unique = self.common_tokens(*encoded, order), self.unique_tokens(*encoded)
        found = {
            "common": self.common_head(common[0] + common[1]),
            "unique1": self.unique_head(unique[0][0] + unique[0][1]),
            "unique2": self.unique_head(unique[1][0] + unique[1][1]),
            "fused": self.fused_image(self.fused_tokens(common, *unique)),
        }
        if noise is not None:
            kept, order_back = masked_order(noise)
            seen = [at(tokens, kept) for tokens in (common, *unique)]
            found["rec"] = self.masked(self.refine(self.fused_tokens(*seen)), order_back)
        return found

    def latents(self, first: Tensor, second: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return the tokens that the second stage's losses compare; needs `latent`.

        Returns:
            A list of two tensors (B, 197, 768), one per image, to be compared with the tokens of its teacher, and a
            list of two tensors (B, 197, 192), the normalised common tokens of the orders "12" and "21".
        """
        encoded = self.encoded(first), self.encoded(second)
        both = [self.common_tokens(*encoded, order) for order in ORDERS]
        common = [functional.layer_norm(deep + skip, (WIDTH,)) for deep, skip in both]
        unique = [deep + skip for deep, skip in self.unique_tokens(*encoded)]
        layers = zip(self.latent_heads, self.unique_norms, unique, common, strict=True)
        return [head(norm(u) + c) for head, norm, u, c in layers], common

    def encoded(self, image: Tensor) -> Tokens:
        """Return the tokens of an image (B, 3, 224, 224): the encoder's last level, and the sum of its first two."""
        levels = self.encoder(image)
        return levels[-1], self.level_norms[0](levels[0]) + self.level_norms[1](levels[1])

    def common_tokens(self, first: Tokens, second: Tokens, order: str) -> Tokens:
        """Return the common tokens C of both streams, for the order "12" or "21" of the two images."""
        source, target = (first, second) if order == "12" else (second, first)
        return self.common(source[0], target[0]), self.common_skip(source[1], target[1])

    def unique_tokens(self, first: Tokens, second: Tokens) -> tuple[Tokens, Tokens]:
        """Return the unique tokens U_1 and U_2, each of both streams."""

        def alone(own: Tokens, other: Tokens) -> Tokens:
            deep = self.unique(other[0], own[0]) + self.unique_residual(own[0])
            return deep, self.unique_skip(other[1], own[1]) + self.unique_residual_skip(own[1])

        return alone(first, second), alone(second, first)

    def fused_tokens(self, common: Tokens, *unique: Tokens) -> Tensor:
        """Return the fused tokens F, (B, n, 192), summed over both streams.

        Args:
            common: the common tokens C of both streams, (B, n, 192) each; n is 197, or fewer in masked modelling.
            unique: the unique tokens U_1 and U_2, each of both streams and in the shape of `common`.
        """
        pairs = [self.fuse(common[0], deep) + self.fuse_skip(common[1], skip) for deep, skip in unique]
        return torch.stack(pairs).sum(0)

    def fused_image(self, tokens: Tensor) -> Tensor:
        """Return the image (B, 3, 224, 224) decoded from the fused tokens F (B, 197, 192)."""
        return self.fuse_head(self.refine(tokens) + self.long_skip * tokens)


class MaskedModelling(nn.Module):
    """Reconstructs an image (B, 3, 224, 224) from the tokens of a quarter of its patches.

    `tokens` (B, 50, 192) and `order_back` (B, 197, 1) come from `at` and `masked_order`.
    """

    positions: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.mask_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.register_buffer("positions", sine_positions(GRID, WIDTH)[None])
        self.blocks = nn.Sequential(*(Block(WIDTH, HEADS) for _ in range(2)))
        self.norm, self.linear = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 768)

    def forward(self, tokens: Tensor, order_back: Tensor) -> Tensor:
        missing = self.mask_token.expand(len(tokens), 1 + GRID**2 - tokens.shape[1], -1)
        whole = torch.cat((tokens, missing), 1).gather(1, order_back.expand(-1, -1, WIDTH))
        return image_of(self.linear(self.norm(self.blocks(whole + self.positions))))


def masked_order(noise: Tensor) -> tuple[Tensor, Tensor]:
    """Choose the tokens to keep, cls and the 49 patches with the smallest noise.

    Args:
        noise: (B, 196) in [0, 1).

    Returns:
        The indices of the kept tokens, cls first, (B, 50, 1), and for each of the 197 tokens its position in the order
        with the kept ones first, (B, 197, 1).
    """
    cls = noise.new_full((len(noise), 1), -1)
    order = torch.cat((cls, noise), 1).argsort(dim=1, stable=True)
    return order[:, : 1 + KEPT, None], order.argsort(1)[..., None]


def at(tokens: Tokens, kept: Tensor) -> Tokens:
    """Return the tokens of both streams at the indices `kept` (B, n, 1), each (B, n, 192)."""
    index = kept.expand(-1, -1, WIDTH)
    return tokens[0].gather(1, index), tokens[1].gather(1, index)


def starts(side: int, step: int) -> list[int]:
    """Return where the windows start along one side of at least 224 pixels, in pixels."""
    return sorted({*range(0, side - SIDE + 1, step), side - SIDE})
