"""Two views of one photograph for self-supervised fusion: each replaces different parts by noise, or degrades them.

Source: Liang et al., "Fusion from Decomposition", ECCV 2022 (the task CUD) and arXiv 2410.12274. The degradation is
ours.
"""

import cv2
import numpy as np

COARSE, FINE = 13, (26, 27)  # cells per side
LAST = (0.33, 0.33, 0.34)  # probabilities of the three grid sizes for the parts that neither view shows
BUMPS, RAMP = (2, 14), (0.05, 2.0)  # soft masks: 2 to 13 bumps per side; height at which a pixel is hidden completely
BLUR, CONTRAST = (0.5, 12.0), (-0.6, 0.6)  # degraded parts: sigma in pixels; factor of the image's contrast
Array = np.ndarray


def random_grids(rng: np.random.Generator) -> tuple[list[Array], list[Array], Array]:
    """Return random grids for `masks`: two of the first view, two of the second view, and `rest`.

    Each grid is (n, n) bool, n being 13, 26 or 27. In the grids of the views, True marks a shown cell.
    """
    chance = 0.1 + rng.random() / 1.12
    sides = (COARSE, *(int(rng.choice(FINE)) for _ in range(2)))

    def grid(side: int) -> Array:
        return rng.random((side, side)) < chance

    first, second = ([grid(side) for side in sides[:2]] for _ in range(2))
    return first, second, grid(sides[int(rng.choice(3, p=LAST))])


def masks(first: list[Array], second: list[Array], rest: Array, side: int) -> tuple[Array, Array]:
    """Return which pixels each view shows, two (side, side) bool arrays; every pixel is in at least one.

    Args:
        first, second: the two grids of each view, which shows a pixel if both grids do.
        rest: grid by which pixels that neither view shows are given to the first (True) or the second view (False).
        side: side of the views in pixels.
    """
    a, b = (spread(grids[0], side) & spread(grids[1], side) for grids in (first, second))
    c = spread(rest, side)
    hidden = ~(a | b)
    return np.where(hidden, c, a), np.where(hidden, ~c, b)


def spread(grid: Array, side: int) -> Array:
    """Return a grid (n, n) enlarged to (side, side) bool by nearest-neighbour interpolation."""
    index = np.arange(side) * len(grid) // side
    return grid[np.ix_(index, index)].astype(bool)


def view(image: Array, mask: Array, normal: Array) -> Array:
    """Return the image (C, H, W) float32 with min(|normal|, 1), noise, in place of pixels where the mask is False."""
    return np.where(mask, image, np.minimum(np.abs(normal), 1)).astype(np.float32)


def two_views(image: Array, rng: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """Return two views (C, S, S) and their masks (1, S, S), float32, of a square image (C, S, S) in [0, 1]."""
    side = image.shape[-1]
    first, second = masks(*random_grids(rng), side)
    if rng.random() < 0.5:
        first, second = second, first
    views = [view(image, mask, rng.standard_normal(image.shape)) for mask in (first, second)]
    return views[0], views[1], first[None].astype(np.float32), second[None].astype(np.float32)


def soft_views(image: Array, rng: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """Return two views as `two_views` does, but with smooth masks, and with hidden parts degraded instead of replaced.

    Hidden parts are blurred, lower in contrast, and brighter or darker, as images to be fused differ by focus, exposure
    or sensor. Every pixel is unchanged in at least one view. This is ours; the authors hide by noise only.

    Args:
        image: (3, S, S) in [0, 1].
        rng: random numbers of the sample.

    Returns:
        Two views (3, S, S), and for each view its mask (1, S, S), the weight of the unchanged image, 0 to 1; float32.
    """
    side, bumps = image.shape[-1], int(rng.integers(*BUMPS))
    hills = cv2.resize(rng.standard_normal((bumps, bumps)), (side, side), interpolation=cv2.INTER_CUBIC)
    slope = np.clip(hills / _between(RAMP, rng), -1, 1)[None].astype(np.float32)
    first, second = np.minimum(1, 1 + slope), np.minimum(1, 1 - slope)
    views = [mask * image + (1 - mask) * spoiled(image, rng) for mask in (first, second)]
    return views[0], views[1], first, second


def spoiled(image: Array, rng: np.random.Generator) -> Array:
    """Return the image (3, H, W) blurred, its contrast multiplied by -0.6 to 0.6, with random brightness.

    The result is float32 in [0, 1]. A negative factor inverts the contrast.
    """
    blurred = cv2.GaussianBlur(np.moveaxis(image, 0, -1), (0, 0), _between(BLUR, rng))
    contrast = rng.uniform(*CONTRAST)
    return np.clip(np.moveaxis(blurred - blurred.mean(), -1, 0) * contrast + rng.random(), 0, 1).astype(np.float32)


def _between(ends: tuple[float, float], rng: np.random.Generator) -> float:
    """Return a random number between the two ends, uniform in its logarithm."""
    return float(np.exp(rng.uniform(*np.log(ends))))
