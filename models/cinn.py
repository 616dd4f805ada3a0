"""CINN, the conditional invertible network: detail -> residual under ANet's conditions, and back.

Notation of one block on C channels, split as C = c1 + c2, with the condition m (K channels) at the same scale:

    x        <- exp(M) ActNorm(x)                           (no ActNorm in ivf)
    x1 | x2  <- x
    y1 = x1 + F(x2 | m)
    y2 = x2 * exp(s) + G(y1 | m)
    s  = clamp * sigmoid(H(2 (y1 | m) - 1))                 ps, hmf; clamp learned, one number a channel
    s  = 2 sigmoid(H(y1 | m)) - 1                           ivf

Inverse: x2 = (y2 - G(y1 | m)) exp(-s), x1 = y1 - F(x2 | m), then exp(-M), then ActNorm's inverse.
Source: the released networks of DCINN (IJCV 2024); the paper prints the second s and an ActNorm for every task.
"""

from torch import Tensor

from .convexp import ConvExp
from .coupling import AffineCoupling
from .invertible import Compose, Inverse
from .layers import ActNorm, Haar
from .recompute import Recomputed


class Block(Compose, Recomputed):
    """The steps of one conditional block, see the notation above."""

    def forward(self, x: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        return self.run(super().forward, x, conditions)

    def inverse(self, y: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        return self.run(super().inverse, y, conditions)


def block(
    channels: int,
    width: int,
    condition: int,
    condition_channels: int,
    *,
    split: int | None = None,
    clamped: bool = True,
    terms: int = 10,
) -> Block:
    """One conditional block: [ActNorm,] convolution exponential, affine coupling. `split` defaults to channels // 2."""
    norm = {"norm": ActNorm(channels)} if clamped else {}
    split = channels // 2 if split is None else split
    return Block(
        **norm,
        conv_exp=ConvExp(channels, terms),
        coupling=AffineCoupling(channels, split, width, condition, condition_channels, clamped),
    )


def two_scale_flow(bands: int, width: int, conditions: tuple[int, int], low_blocks: int, terms: int = 10) -> Compose:
    """CINN of ps and hmf on (B, bands, H, W): a block, Haar, `low_blocks` blocks at half scale, Haar back, a block.

    Args:
        bands: channels of the image, at least 2.
        width: subnet channels at full scale; twice that at half scale.
        conditions: channels of ANet's full-scale and half-scale conditions.
        low_blocks: blocks at half scale.
        terms: terms of the convolution exponential.
    """
    full, half = conditions
    low = {
        f"low{i}": block(4 * bands, 2 * width, 1, half, split=4 * (bands // 2), terms=terms) for i in range(low_blocks)
    }
    return Compose(
        block_in=block(bands, width, 0, full, terms=terms),
        haar_in=Haar(),
        **low,
        haar_out=Inverse(Haar()),
        block_out=block(bands, width, 0, full, terms=terms),
    )


def three_scale_flow(conditions: tuple[int, int, int], low_blocks: int, terms: int = 10) -> Compose:
    """CINN of ivf on (B, 1, H, W): Haar three times to 64 channels, a block on the way at each scale, and back.

    Args:
        conditions: channels of ANet's half-scale, quarter-scale and eighth-scale conditions.
        low_blocks: blocks at the lowest scale.
        terms: terms of the convolution exponential.
    """
    half, quarter, eighth = conditions

    def ivf_block(channels: int, width: int, condition: int, condition_channels: int) -> Block:
        return block(channels, width, condition, condition_channels, clamped=False, terms=terms)

    return Compose(
        haar_in1=Haar(),
        block_in1=ivf_block(4, 8, 0, half),
        haar_in2=Haar(),
        block_in2=ivf_block(16, 32, 1, quarter),
        haar_in3=Haar(),
        **{f"low{i}": ivf_block(64, 64, 2, eighth) for i in range(low_blocks)},
        haar_out3=Inverse(Haar()),
        block_out2=ivf_block(16, 32, 1, quarter),
        haar_out2=Inverse(Haar()),
        block_out1=ivf_block(4, 8, 0, half),
        haar_out1=Inverse(Haar()),
    )
