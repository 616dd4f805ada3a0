"""Fusing by overlapping tiles: memory bounded by the tile.

Squeeze-excite pools over what it sees, so a tile is not exactly the part of a whole-image fusion.
"""

import torch
from torch import Tensor, nn

LEAST_TILE = 32


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
    """Starts and ends of tiles that cover the length, a quarter of a tile shared at least, sides even."""
    if length <= tile:
        return [(0, length)]
    step = tile - tile // 4
    starts = list(range(0, length - tile, step)) + [length - tile]
    return [(s, s + tile) for s in starts]


def _ramp(span: tuple[int, int], length: int, tile: int) -> Tensor:
    """Blending weights of a tile along one axis: rising over the overlap, full in the middle and at image borders."""
    size = span[1] - span[0]
    overlap = max(tile // 4, 1)
    rise = (torch.arange(size) + 1).clamp(max=overlap) / overlap
    fall = rise.flip(0)
    ones = torch.ones(size)
    return (ones if span[0] == 0 else rise) * (ones if span[1] == length else fall)
