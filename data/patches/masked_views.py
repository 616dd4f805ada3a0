"""Two views of one photograph for self-supervised fusion: each hides other parts of it behind noise, or spoils them.

Source: Liang et al., "Fusion from Decomposition", ECCV 2022 (the task CUD) and arXiv 2410.12274; spoiled parts: ours.
"""

import cv2
import numpy as np

COARSE, FINE = 13, (26, 27)  # cells a side
LAST = (0.33, 0.33, 0.34)  # chances of the three sides, for what neither view shows
BUMPS, RAMP = (2, 14), (0.05, 2.0)  # of soft masks: 2 to 13 a side; how high or deep where a view hides a pixel wholly
BLUR, CONTRAST = (0.5, 12.0), (-0.6, 0.6)  # of spoiled parts: pixels, times the image's own
Array = np.ndarray


def random_grids(rng: np.random.Generator) -> tuple[list[Array], list[Array], Array]:
    """Cells that are seen: two grids of the first view, two of the second, and one for what neither sees."""
    chance = 0.1 + rng.random() / 1.12
    sides = (COARSE, *(int(rng.choice(FINE)) for _ in range(2)))

    def grid(side: int) -> Array:
        return rng.random((side, side)) < chance

    first, second = ([grid(side) for side in sides[:2]] for _ in range(2))
    return first, second, grid(sides[int(rng.choice(3, p=LAST))])


def masks(first: list[Array], second: list[Array], rest: Array, side: int) -> tuple[Array, Array]:
    """What each view shows, (side, side) of 0 and 1; every pixel is in one at least."""
    a, b = (spread(grids[0], side) & spread(grids[1], side) for grids in (first, second))
    c = spread(rest, side)
    hidden = ~(a | b)
    return np.where(hidden, c, a), np.where(hidden, ~c, b)


def spread(grid: Array, side: int) -> Array:
    """(n, n) cells -> (side, side) pixels, the nearest cell's value."""
    index = np.arange(side) * len(grid) // side
    return grid[np.ix_(index, index)].astype(bool)


def view(image: Array, mask: Array, normal: Array) -> Array:
    """(C, H, W), and noise where the mask is 0: the sizes of normal random numbers, 1 at most."""
    return np.where(mask, image, np.minimum(np.abs(normal), 1)).astype(np.float32)


def two_views(image: Array, rng: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """Views and masks of a square image (C, S, S) in [0, 1]: (C, S, S) twice, (1, S, S) twice, float32."""
    side = image.shape[-1]
    first, second = masks(*random_grids(rng), side)
    if rng.random() < 0.5:
        first, second = second, first
    views = [view(image, mask, rng.standard_normal(image.shape)) for mask in (first, second)]
    return views[0], views[1], first[None].astype(np.float32), second[None].astype(np.float32)


def soft_views(image: Array, rng: np.random.Generator) -> tuple[Array, Array, Array, Array]:
    """Like `two_views`, but what a view hides is blurred, of less contrast, and brighter or darker; masks are ramps.

    That is how images to be fused differ: in focus, exposure or sensor. Every pixel is shown whole by one view at
    least. Ours; the authors hide behind noise alone.

    Args:
        image: (3, S, S) in [0, 1].
        rng: of the sample.

    Returns:
        Both views (3, S, S), and how much of the image each shows at a pixel, (1, S, S) in [0, 1]; float32.
    """
    side, bumps = image.shape[-1], int(rng.integers(*BUMPS))
    hills = cv2.resize(rng.standard_normal((bumps, bumps)), (side, side), interpolation=cv2.INTER_CUBIC)
    slope = np.clip(hills / _between(RAMP, rng), -1, 1)[None].astype(np.float32)
    first, second = np.minimum(1, 1 + slope), np.minimum(1, 1 - slope)
    views = [mask * image + (1 - mask) * spoiled(image, rng) for mask in (first, second)]
    return views[0], views[1], first, second


def spoiled(image: Array, rng: np.random.Generator) -> Array:
    """(3, H, W), blurred, with little of its contrast or its negative's, at any brightness; float32 in [0, 1]."""
    blurred = cv2.GaussianBlur(np.moveaxis(image, 0, -1), (0, 0), _between(BLUR, rng))
    contrast = rng.uniform(*CONTRAST)
    return np.clip(np.moveaxis(blurred - blurred.mean(), -1, 0) * contrast + rng.random(), 0, 1).astype(np.float32)


def _between(ends: tuple[float, float], rng: np.random.Generator) -> float:
    """A number between these, its logarithm uniform."""
    return float(np.exp(rng.uniform(*np.log(ends))))
