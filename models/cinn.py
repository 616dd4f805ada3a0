"""CINN, the conditional invertible network: it maps detail to residual under ANet's conditions, and back.

Notation of one block on C channels, split as C = c1 + c2, with the condition m (K channels) at the same scale:

    x        <- exp(M) ActNorm(x)                           (no ActNorm in ivf)
    x1 | x2  <- x
    y1 = x1 + F(x2 | m)
    y2 = x2 * exp(s) + G(y1 | m)
    s  = clamp * sigmoid(H(2 (y1 | m) - 1))                 ps, hmf; clamp learned, one number per channel
    s  = 2 sigmoid(H(y1 | m)) - 1                           ivf

Inverse: x2 = (y2 - G(y1 | m)) exp(-s), x1 = y1 - F(x2 | m), then exp(-M), then ActNorm's inverse.
Source: the released networks of DCINN (IJCV 2024). The paper prints the second s and an ActNorm for every task.
"""

from torch import Tensor

from .convexp import ConvExp
from .coupling import AffineCoupling
from .invertible import Compose, Inverse
from .layers import ActNorm, Haar
from .recompute import Recomputed


class Block(Compose, Recomputed):
    """The steps of one conditional block in order; see the notation above."""

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
    """Return one conditional block: ActNorm (if `clamped`), convolution exponential, affine coupling.

    Args:
        channels: C, the channels of the block's input and output.
        width: channels inside the coupling's subnets.
        condition: index of the block's condition m among ANet's conditions.
        condition_channels: K, the channels of m.
        split: c1; None is channels // 2.
        clamped: True for ps and hmf, see `AffineCoupling`.
        terms: terms of the convolution exponential.
    """
    norm = {"norm": ActNorm(channels)} if clamped else {}
    split = channels // 2 if split is None else split
    return Block(
        **norm,
        conv_exp=ConvExp(channels, terms),
        coupling=AffineCoupling(channels, split, width, condition, condition_channels, clamped),
    )


def two_scale_flow(bands: int, width: int, conditions: tuple[int, int], low_blocks: int, terms: int = 10) -> Compose:
    """Return CINN of ps and hmf on (B, bands, H, W), H and W even.

    Its steps: a block, Haar, `low_blocks` blocks at half scale, inverse Haar, a block.

    Args:
        bands: channels of the image, at least 2.
        width: channels inside the subnets at full scale; at half scale it is doubled.
        conditions: channels of ANet's full-scale and half-scale conditions.
        low_blocks: number of blocks at half scale.
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
    """Return CINN of ivf on (B, 1, H, W), H and W multiples of 8.

    Its steps: Haar, a block, Haar, a block, Haar (64 channels at eighth scale), `low_blocks` blocks, then inverse Haar,
    a block, inverse Haar, a block, inverse Haar.

    Args:
        conditions: channels of ANet's half-scale, quarter-scale and eighth-scale conditions.
        low_blocks: number of blocks at eighth scale.
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
