"""Fusion by overlapping tiles, on one process or several; memory is bounded by the tile and the width of the scene.

A fused tile differs from the same part of the whole image's fusion: squeeze-excite pools over the tile only, and the
tile's border disturbs the convolution exponentials. Pooling over the scene (`models.scene_pooling`) removes the first
difference. benchmarks/README.md has measurements of both.
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
MOST_SHARED = 128  # largest overlap of neighbours in pixels; a border affects fewer
SAMPLED = 64  # tiles from which the means of a scene are computed

Span = tuple[int, int]
Read = Callable[[Span, Span], tuple[Tensor, ...]]


@dataclass(frozen=True)
class Tiling:
    """Square tiles over a scene.

    Neighbours overlap by a quarter of a tile, at most 128 pixels, and are blended linearly there. Tiles start at
    multiples of 8, so that their Haar blocks are those of the whole image; the last ones reach the end and are up to 7
    pixels longer.

    Args:
        height, width: sides of the scene in pixels.
        tile: side of a tile in pixels, at least 32.

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
        """The least overlap of neighbours in pixels."""
        return min(self.tile // 4, MOST_SHARED)

    def _spans(self, length: int) -> list[Span]:
        if length <= self.tile:
            return [(0, length)]
        step = max((self.tile - self.shared) // GRID * GRID, GRID)
        last = (length - self.tile) // GRID * GRID
        return [(start, start + self.tile) for start in range(0, last, step)] + [(last, length)]

    def ramp(self, span: Span, length: int) -> Tensor:
        """Return a tile's blending weights along one axis, (span,): one in its middle and at image borders.

        Over the overlap they are zero in the outer quarter, where the tile's border disturbs the convolutions, and then
        rise. The weights of two neighbours with the least overlap sum to one.
        """
        size, shared = span[1] - span[0], self.shared
        rise = ((torch.arange(size) + 0.5 - shared / 4) / (shared / 2)).clamp(0, 1)
        ones = torch.ones(size)
        return (ones if span[0] == 0 else rise) * (ones if span[1] == length else rise.flip(0))

    @property
    def count(self) -> int:
        """The number of tiles."""
        return len(self.rows) * len(self.columns)

    def tiles(self, rows: range) -> int:
        """Return the number of tiles that `fused_rows` runs for these rows of tiles."""
        return (rows.stop - self.first(rows)) * len(self.columns)

    def first(self, rows: range) -> int:
        """Return the first row of tiles that overlaps the first of `rows`."""
        spans = self.rows
        return next((n for n, s in enumerate(spans) if s[1] > spans[rows.start][0]), 0) if len(rows) else rows.stop

    def share(self, rank: int, world: int) -> range:
        """Return the rows of tiles of process `rank` of `world`, which are neighbours."""
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
    """Fuse a scene from top to bottom, and yield finished rows of pixels.

    Args:
        model: a DCINN; it runs without gradients, on its device.
        tiling: the tiles of the scene.
        read: function of a window's rows and columns that returns base image (B, C, h, w) and guide (B, c, h, w), and,
            if the window has masked pixels, a mask (1, 1, h, w), 0 for these and 1 for the others.
        rows: the rows of tiles to fuse; None is all. Tiles above that overlap them are fused as well, for the blending.
        done: called after every tile.
        pooling: the scene's pooling, which ignores masked pixels; None if there are none.

    Yields:
        (first row, fused rows (B, C, rows, W) float32 on the CPU).
    """
    spans = tiling.rows
    rows = range(len(spans)) if rows is None else rows
    above: Tensor | None = None  # (weighted sums, weights) of the rows shared with the next tiles
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
    """Compute the means of squeeze-excite from up to 64 tiles spread over the scene, and fix them in `pooling`.

    Args:
        model, tiling, read: see `fused_rows`.
        pooling: the pooling of the model.
        valid: function of a window's rows and columns that returns its valid pixels, (h, w) bool; tiles without any are
            skipped. None if all are valid.
        together: whether all processes fuse this scene; they then divide these tiles, and have the same means.
    """
    tiles = sampled(tiling, valid)
    for row, column in tiles[distributed.rank() :: distributed.world()] if together else tiles:
        _run(model, pooling, *read(tiling.rows[row], tiling.columns[column]))
    pooling.use(*[distributed.added] if together else [])


def sampled(tiling: Tiling, valid: Callable[[Span, Span], np.ndarray] | None = None) -> list[Span]:
    """Return (row, column) of the tiles from which means are computed: all, or 64 in a lattice of the golden ratio.

    With `valid`, see `scene_means`, only tiles with valid pixels count.
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
    """Return `model(base_image, guide)`, computed without gradients on the model's device, whole or by tiles.

    Args:
        model: a DCINN.
        base_image: (B, C, H, W).
        guide: (B, c, H, W).
        tile: side of the tiles in pixels, see `Tiling`; 0 is the whole image at once.
        scene: with tiles, let squeeze-excite pool over the scene instead of over each tile.
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
        return a.float()  # all its pixels are masked
    if pooling is not None:
        pooling.valid = None if valid is None else valid.to(device)
    with torch.inference_mode():
        return model(a.to(device), b.to(device)).float().cpu()
