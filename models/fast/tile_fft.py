"""Convolution of overlapping tiles by Fourier transforms that are matrix products.

A tile's side is five times what the kernel reaches, 32 to some 150 pixels: so few that the transform as a product with
the matrix of sines and cosines costs no more than the convolution's own products; and products leave the channels
innermost in memory, where a fast transform would have them turned round twice. Only the pixels that are kept are
transformed back.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

AT_ONCE = 2**20  # floats of the tiles that are transformed together


def good_side(reach: int) -> int:
    """Of tiles: six times the reach is best where the products cost the time, less where reading the spectrum does."""
    return 8 * max(round(5 * reach / 8), 4)


class TileConvolution:
    """y = K x far from the border, K given by its values at the frequencies of a tile.

    Args:
        spectrum: (side * (side // 2 + 1), C, C) complex, from input channel (last) to output channel, frequencies as
            `torch.fft.rfft2` orders them.
        side: of a tile, in pixels, even.
        reach: pixels at each side of a tile that are computed in vain, being cyclic.
    """

    def __init__(self, spectrum: Tensor, side: int, reach: int) -> None:
        self.side, self.reach, self.keep = side, reach, side - 2 * reach
        half = side // 2 + 1
        matrix = spectrum.transpose(1, 2)
        self.real, self.imaginary = matrix.real.contiguous(), matrix.imag.contiguous()
        position = torch.arange(side, dtype=torch.float64)
        kept = position[reach : side - reach]
        cos, sin = _waves(position, position, side)
        self.columns = torch.cat((torch.cat((cos, sin), 1), torch.cat((-sin, cos), 1))).float()
        self.rows = (cos[:half].float(), -sin[:half].float())
        cos, sin = _waves(kept, position, side)
        self.columns_back = torch.cat((torch.cat((cos, -sin), 1), torch.cat((sin, cos), 1))).float()
        twice = torch.full((half,), 2.0, dtype=torch.float64)  # frequencies that stand for their mirror image too
        twice[0] = twice[-1] = 1
        twice /= side**2
        self.rows_back = ((cos[:, :half] * twice).float(), (-sin[:, :half] * twice).float())

    def __call__(self, x: Tensor, out: Tensor, margin: int) -> None:
        """Fill out (H - 2 margin, W - 2 margin, C), margin <= reach, with y of x (H, W, C), zero outside."""
        keep, side, lead = self.keep, self.side, self.reach - margin
        height, width, channels = out.shape
        down, across = -(-height // keep), -(-width // keep)
        group = max(AT_ONCE // (channels * across * side**2), 1)
        right = across * keep + 2 * self.reach - lead - x.shape[1]
        for first in range(0, down, group):
            count = min(group, down - first)
            top, bottom = first * keep - lead, (first + count) * keep + 2 * self.reach - lead
            rows = x[max(top, 0) : bottom]
            above = max(-top, 0)
            missing = (0, 0, lead, right, above, bottom - top - above - rows.shape[0])
            tiles = functional.pad(rows, missing).unfold(0, side, keep).unfold(1, side, keep)
            done = self._tiles(tiles.permute(3, 4, 0, 1, 2).contiguous())
            done = done.permute(2, 0, 3, 1, 4).reshape(count * keep, across * keep, channels)
            target = out[first * keep : (first + count) * keep]
            target.copy_(done[: target.shape[0], :width])

    def _tiles(self, tiles: Tensor) -> Tensor:
        """K of tiles (side, side, n, m, C), cyclic: the kept (keep, keep, n, m, C)."""
        side, keep, half = self.side, self.keep, self.side // 2 + 1
        shape, channels = tiles.shape[2:], tiles.shape[-1]
        tiles = tiles.flatten(2)
        n = tiles.shape[-1]
        z = tiles.new_empty(2, side, half, n)
        for plane, rows in zip(z, self.rows, strict=True):
            torch.bmm(rows.expand(side, -1, -1), tiles, out=plane)
        z = (self.columns @ z.view(2 * side, half * n)).view(2, side * half, -1, channels)
        product = torch.empty_like(z)
        torch.bmm(z[0], self.real, out=product[0])
        product[0].baddbmm_(z[1], self.imaginary, alpha=-1)
        torch.bmm(z[0], self.imaginary, out=product[1])
        product[1].baddbmm_(z[1], self.real)
        back = (self.columns_back @ product.view(2 * side, half * n)).view(2, keep, half, n)
        done = torch.bmm(self.rows_back[0].expand(keep, -1, -1), back[0])
        done.baddbmm_(self.rows_back[1].expand(keep, -1, -1), back[1])
        return done.view(keep, keep, *shape)


def _waves(a: Tensor, b: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine of 2 pi a b / side, (len(a), len(b))."""
    angle = 2 * math.pi / side * torch.remainder(a[:, None] * b, side)
    return torch.cos(angle), torch.sin(angle)
