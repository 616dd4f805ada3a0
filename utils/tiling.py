"""Fusing by overlapping tiles: memory bounded by the tile.

A tile is not exactly the part of a whole-image fusion: squeeze-excite pools over what it sees, and a tile's border
disturbs the convolution exponentials. On 512x512 pieces of a WorldView-2 scene with the authors' WV3 weights, tiles of
256 differ from the whole by 0.001 to 0.0015 in the mean and 0.063 at most, on [0, 1].
"""

import torch
from torch import Tensor, nn

LEAST_TILE = 32
GRID = 8  # three Haar levels


def fuse(model: nn.Module, base_image: Tensor, guide: Tensor, *, tile: int = 0) -> Tensor:
    """`model(base_image, guide)` without gradients, on the model's device; the result comes back on the CPU.

    Args:
        model: a DCINN.
        base_image: (B, C, H, W).
        guide: (B, c, H, W).
        tile: side of square tiles in pixels, 0 for the whole image at once. Neighbours overlap by a quarter and are
            blended linearly.

    Returns:
        (B, C, H, W) float32 on the CPU.

    Raises:
        ValueError: for a tile under 32 pixels.
    """
    device = next(model.parameters()).device

    def run(a: Tensor, b: Tensor) -> Tensor:
        with torch.inference_mode():
            return model(a.to(device), b.to(device)).float().cpu()

    if tile and tile < LEAST_TILE:
        raise ValueError(f"tile: found {tile}, expected 0 or at least {LEAST_TILE} pixels")
    height, width = base_image.shape[-2:]
    if not tile or (height <= tile and width <= tile):
        return run(base_image, guide)
    total = torch.zeros(base_image.shape)
    weight = torch.zeros(height, width)
    for rows in _spans(height, tile):
        for columns in _spans(width, tile):
            window = (..., slice(*rows), slice(*columns))
            ramp = _ramp(rows, height, tile)[:, None] * _ramp(columns, width, tile)
            total[window] += run(base_image[window], guide[window]) * ramp
            weight[window[1:]] += ramp
    return total / weight


def _spans(length: int, tile: int) -> list[tuple[int, int]]:
    """Starts and ends of tiles that cover the length and share a quarter at least.

    Starts are multiples of 8, so that every tile has the Haar blocks of the whole image; the last tile reaches the
    end, up to 7 pixels longer than the others.
    """
    if length <= tile:
        return [(0, length)]
    step = max((tile - tile // 4) // GRID * GRID, GRID)
    last = (length - tile) // GRID * GRID
    return [(start, start + tile) for start in range(0, last, step)] + [(last, length)]


def _ramp(span: tuple[int, int], length: int, tile: int) -> Tensor:
    """Blending weights of a tile along one axis: one in its middle and at image borders.

    Over the shared quarter they are zero in the outer fourth, where the tile's border disturbs the convolutions, then
    rise; the weights of two neighbours add up to one.
    """
    size, shared = span[1] - span[0], tile // 4
    rise = ((torch.arange(size) + 0.5 - shared / 4) / (shared / 2)).clamp(0, 1)
    ones = torch.ones(size)
    return (ones if span[0] == 0 else rise) * (ones if span[1] == length else rise.flip(0))
