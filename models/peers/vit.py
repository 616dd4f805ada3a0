"""Parts of vision transformers for DeFusion++ and its MAE teachers; parameter names as in timm.

Sources: Dosovitskiy et al., ICLR 2021; He et al., CVPR 2022 (MAE); Ren et al., CVPR 2023 (TinyMIM).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

PATCH, GRID = 16, 14
SIDE = PATCH * GRID
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Encoder(nn.Module):
    """(B, 3, 224, 224) in [0, 1] -> tokens after the embedding and after every block, (B, 197, width) each.

    Args:
        width: numbers per token.
        heads: attention heads of each block; its length is the number of blocks.
        drop_path: for each block, the probability that training skips its attention for a sample, and (drawn
            separately) its perceptron; None is 0 everywhere.
    """

    positions: Tensor
    mean: Tensor
    std: Tensor

    def __init__(self, width: int, heads: Sequence[int], drop_path: Sequence[float] | None = None) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width).normal_(std=0.02))
        self.patch_embed = nn.Conv2d(3, width, PATCH, PATCH)
        drops = drop_path or [0.0] * len(heads)
        self.blocks = nn.ModuleList(Block(width, h, 1e-6, drop) for h, drop in zip(heads, drops, strict=True))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.register_buffer("positions", sine_positions(GRID, width)[None])
        for name, values in (("mean", MEAN), ("std", STD)):  # made once: a GPU would wait for them in every call
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> list[Tensor]:
        tokens = self.patch_embed((image - self.mean) / self.std).flatten(2).transpose(1, 2)
        cls = self.cls_token.expand(len(image), -1, -1)
        levels = [torch.cat((cls, tokens), 1) + self.positions]
        for block in self.blocks:
            levels.append(block(levels[-1]))
        return levels


class Block(nn.Module):
    """Self-attention, then a perceptron, each with a norm before it and added to its input; (B, n, width)."""

    def __init__(self, width: int, heads: int, eps: float = 1e-5, drop_path: float = 0.0) -> None:
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=eps) for _ in range(2))
        self.attn = Attention(width, heads)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})
        self.drop_path = drop_path

    def forward(self, x: Tensor) -> Tensor:
        x = x + self._some(self.attn(self.norm1(x)))
        return x + self._some(self.mlp["fc2"](functional.gelu(self.mlp["fc1"](self.norm2(x)))))

    def _some(self, x: Tensor) -> Tensor:
        """In training, set some samples to zero and scale the others up to keep the mean (stochastic depth)."""
        if not self.training or not self.drop_path:
            return x
        kept = torch.rand(len(x), 1, 1, device=x.device) >= self.drop_path
        return x * kept / (1 - self.drop_path)


class Attention(nn.Module):
    """Multi-head self-attention, (B, n, width) -> (B, n, width)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.proj(functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class CrossBlock(nn.Module):
    """Attention between the tokens of two images, then a perceptron, each with a norm after it; (B, n, width).

    Queries come from `target` and values from `source`. Keys come from `target` if `common` is set, else from `source`.
    Training drops a tenth of the attention's result, of the hidden units and of the perceptron's result.
    """

    def __init__(self, width: int, heads: int, common: bool = False) -> None:
        super().__init__()
        self.common = common
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.linear1, self.linear2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(0.1)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        keys = target if self.common else source
        seen, _ = self.attention(self.query(target), self.key(keys), self.value(source), need_weights=False)
        y = self.norm1(target + self.dropout(seen))
        return self.norm2(y + self.dropout(self.linear2(self.dropout(functional.relu(self.linear1(y))))))


class Head(nn.Module):
    """Tokens (B, 197, width) -> image (B, 3, 224, 224), in the images' units, not clamped."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.block, self.linear = Block(width, heads), nn.Linear(width, 3 * PATCH**2)

    def forward(self, tokens: Tensor) -> Tensor:
        return image_of(self.linear(self.block(tokens)))


def image_of(tokens: Tensor) -> Tensor:
    """Return the image (B, 3, 224, 224) whose pixels tokens (B, 197, 768) hold.

    The first token, cls, is dropped. The 768 numbers of each other token are the pixels of a patch in the order row,
    column, channel.
    """
    patches = tokens[:, 1:].unflatten(1, (GRID, GRID)).unflatten(-1, (PATCH, PATCH, 3))
    return patches.permute(0, 5, 1, 3, 2, 4).flatten(4).flatten(2, 3)


def sine_positions(grid: int, width: int) -> Tensor:
    """Return position codes (1 + grid^2, width): sines and cosines of the column, then of the row; zeros for cls."""
    frequency = 10000.0 ** (-torch.arange(width // 4, dtype=torch.float64) / (width / 4))
    angle = torch.arange(grid, dtype=torch.float64)[:, None] * frequency
    waves = torch.cat((angle.sin(), angle.cos()), 1)  # (grid, width / 2)
    columns, rows = waves.repeat(grid, 1), waves.repeat_interleave(grid, 0)
    return torch.cat((torch.zeros(1, width), torch.cat((columns, rows), 1))).float()
