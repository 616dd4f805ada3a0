"""Fusing by overlapping tiles: memory bounded by the tile and the width of the scene, on one process or several.

A tile is not exactly the part of a whole-image fusion: squeeze-excite pools over what it sees, and a tile's border
disturbs the convolution exponentials. The first difference goes away where the pooled means are those of the scene
(`models.scene_pooling`); benchmarks/README.md has both measured.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from models.scene_pooling import ScenePooling

from . import distributed

LEAST_TILE = 32
GRID = 8  # three Haar levels
MOST_SHARED = 128  # pixels that neighbours share; borders are felt in fewer
SAMPLED = 64  # tiles that the means of a scene are taken from

Span = tuple[int, int]
Read = Callable[[Span, Span], tuple[Tensor, ...]]


@dataclass(frozen=True)
class Tiling:
    """Square tiles over a scene.

    Neighbours share a quarter, 128 pixels at most, and are blended linearly there. Tiles start at multiples of 8, so
    that every one has the Haar blocks of the whole image; the last ones reach the end, up to 7 pixels longer.

    Args:
        height, width: of the scene, in pixels.
        tile: side of a tile, at least 32.

    Raises:
        ValueError: for a smaller tile.
    """

    height: int
    width: int
    tile: int

    def __post_init__(self) -> None:
        if self.tile < LEAST_TILE:
            raise ValueError(f"tile: found {self.tile}, expected 0 or at least {LEAST_TILE} pixels")

    @property
    def rows(self) -> list[Span]:
        """First and last pixel (exclusive) of every row of tiles."""
        return self._spans(self.height)

    @property
    def columns(self) -> list[Span]:
        """First and last pixel (exclusive) of every column of tiles."""
        return self._spans(self.width)

    @property
    def shared(self) -> int:
        """Pixels that neighbours share, at least."""
        return min(self.tile // 4, MOST_SHARED)

    def _spans(self, length: int) -> list[Span]:
        if length <= self.tile:
            return [(0, length)]
        step = max((self.tile - self.shared) // GRID * GRID, GRID)
        last = (length - self.tile) // GRID * GRID
        return [(start, start + self.tile) for start in range(0, last, step)] + [(last, length)]

    def ramp(self, span: Span, length: int) -> Tensor:
        """Blending weights of a tile along one axis: one in its middle and at image borders.

        Over the shared pixels they are zero in the outer fourth, where the tile's border disturbs the convolutions,
        then rise; the weights of two neighbours add up to one where they share no more than that.
        """
        size, shared = span[1] - span[0], self.shared
        rise = ((torch.arange(size) + 0.5 - shared / 4) / (shared / 2)).clamp(0, 1)
        ones = torch.ones(size)
        return (ones if span[0] == 0 else rise) * (ones if span[1] == length else rise.flip(0))

    @property
    def count(self) -> int:
        """How many tiles there are."""
        return len(self.rows) * len(self.columns)

    def tiles(self, rows: range) -> int:
        """How many tiles `fused_rows` runs for these rows."""
        return (rows.stop - self.first(rows)) * len(self.columns)

    def first(self, rows: range) -> int:
        """The first row of tiles that reaches into the first of `rows`."""
        spans = self.rows
        return next((n for n, s in enumerate(spans) if s[1] > spans[rows.start][0]), 0) if len(rows) else rows.stop

    def share(self, rank: int, world: int) -> range:
        """The rows of tiles of one process of several: neighbouring ones."""
        count = len(self.rows)
        return range(count * rank // world, count * (rank + 1) // world)


def fused_rows(
    model: nn.Module,
    tiling: Tiling,
    read: Read,
    rows: range | None = None,
    done: Callable[[], object] = lambda: None,
    pooling: ScenePooling | None = None,
) -> Iterator[tuple[int, Tensor]]:
    """Fuse a scene from top to bottom; yields (first row, (B, C, rows, W) float32 on the CPU) of finished rows.

    Args:
        model: a DCINN; without gradients, on its device.
        tiling: of the scene.
        read: gives base image (B, C, h, w) and guide (B, c, h, w) of a window, and (1, 1, h, w) where some of its
            pixels are masked: 1 for the others.
        rows: of tiles, all by default; tiles above that reach into the first of them are fused too, for the blending.
        done: called after every tile.
        pooling: leaves masked pixels out of the means.
    """
    spans = tiling.rows
    rows = range(len(spans)) if rows is None else rows
    above: Tensor | None = None  # weighted sums of the shared pixels, the weights behind the bands
    for number in range(tiling.first(rows), rows.stop):
        top, bottom = spans[number]
        total = None
        for left, right in tiling.columns:
            piece = _run(model, pooling, *read((top, bottom), (left, right)))
            if total is None:
                total = torch.zeros(*piece.shape[:2], bottom - top, tiling.width)
                weight = torch.zeros(bottom - top, tiling.width)
            ramp = tiling.ramp((top, bottom), tiling.height)[:, None] * tiling.ramp((left, right), tiling.width)
            total[..., left:right] += piece * ramp
            weight[:, left:right] += ramp
            done()
        if above is not None:
            shared = above[0].shape[-2]
            total[..., :shared, :] += above[0]
            weight[:shared] += above[1]
        end = spans[number + 1][0] if number + 1 < len(spans) else bottom
        above = total[..., end - top :, :].clone(), weight[end - top :].clone()
        if number >= rows.start:
            yield top, total[..., : end - top, :] / weight[: end - top]


def scene_means(
    model: nn.Module,
    tiling: Tiling,
    read: Read,
    pooling: ScenePooling,
    valid: Callable[[Span, Span], np.ndarray] | None = None,
    together: bool = False,
) -> None:
    """Have the means of squeeze-excite taken from up to 64 tiles all over the scene, and used from then on.

    Args:
        model, tiling, read: see `fused_rows`.
        pooling: of the model.
        valid: gives (h, w) bool of a window, the pixels that are not masked; tiles without any are not taken.
        together: all processes have this scene: they share these tiles, and have the same means afterwards.
    """
    tiles = sampled(tiling, valid)
    for row, column in tiles[distributed.rank() :: distributed.world()] if together else tiles:
        _run(model, pooling, *read(tiling.rows[row], tiling.columns[column]))
    pooling.use(*[distributed.added] if together else [])


def sampled(tiling: Tiling, valid: Callable[[Span, Span], np.ndarray] | None = None) -> list[Span]:
    """Row and column of all tiles, or of 64 that are spread evenly (a lattice of the golden ratio).

    Where pixels are masked, of all tiles or 64 that have others, too.
    """
    rows, columns = len(tiling.rows), len(tiling.columns)
    golden = (5**0.5 - 1) / 2
    if valid is not None or rows * columns <= SAMPLED:
        tiles = [(row, column) for row in range(rows) for column in range(columns)]
        if valid is not None:
            tiles = [(row, column) for row, column in tiles if valid(tiling.rows[row], tiling.columns[column]).any()]
        if len(tiles) <= SAMPLED:
            return tiles
        return [tiles[int((n + n * golden % 1) / SAMPLED * len(tiles))] for n in range(SAMPLED)]
    return [(int((n + 0.5) / SAMPLED * rows), int((n + 0.5) * golden % 1 * columns)) for n in range(SAMPLED)]


def fuse(
    model: nn.Module,
    base_image: Tensor,
    guide: Tensor,
    *,
    tile: int = 0,
    scene: bool = False,
    done: Callable[[], object] = lambda: None,
) -> Tensor:
    """`model(base_image, guide)` without gradients, on the model's device; the result comes back on the CPU.

    Args:
        model: a DCINN.
        base_image: (B, C, H, W).
        guide: (B, c, H, W).
        tile: side of the tiles in pixels, see `Tiling`; 0 for the whole image at once.
        scene: squeeze-excite with the means of the scene instead of those of each tile.
        done: called after every tile.

    Returns:
        (B, C, H, W) float32 on the CPU.

    Raises:
        ValueError: for a tile under 32 pixels.
    """
    height, width = base_image.shape[-2:]
    tiling = Tiling(height, width, tile or max(height, width, LEAST_TILE))
    if not tile or (height <= tile and width <= tile):
        return _run(model, None, base_image, guide)

    def read(rows: Span, columns: Span) -> tuple[Tensor, Tensor]:
        window = (..., slice(*rows), slice(*columns))
        return base_image[window], guide[window]

    with ScenePooling(model) if scene else nullcontext() as pooling:
        if scene:
            scene_means(model, tiling, read, pooling)
        return torch.cat([part for _, part in fused_rows(model, tiling, read, done=done)], dim=-2)


def _run(model: nn.Module, pooling: ScenePooling | None, a: Tensor, b: Tensor, valid: Tensor | None = None) -> Tensor:
    device = next(model.parameters()).device
    if valid is not None and not valid.any():
        return a.float()  # nobody sees it
    if pooling is not None:
        pooling.valid = None if valid is None else valid.to(device)
    with torch.inference_mode():
        return model(a.to(device), b.to(device)).float().cpu()
