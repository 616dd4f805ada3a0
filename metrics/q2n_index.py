"""Q2n (Q4, Q8, ...), the quality index that treats the pixels of multi-band images as hypercomplex numbers.

Alparone et al., GRSL 2004 (Q4), and Garzelli and Nencini, GRSL 2009 (Q2n), in the form of the DLPan-Toolbox.
"""

import numpy as np

from .checks import alike, digital_numbers

BLOCK = 32
_AT_ONCE = 64  # blocks computed at a time, to bound the memory


def q2n(fused: np.ndarray, reference: np.ndarray) -> float:
    """Return the mean of `q2n_map`: Q4 for four bands, Q8 for eight, Q2n for any number.

    Args:
        fused, reference: (H, W, B) or (H, W) in digital numbers; both are rounded to unsigned 16 bits. Zero bands are
            appended until their number is a power of two.

    Returns:
        0 to 1, higher is better. It is not symmetric, because blocks are normalised by the reference.

    Raises:
        ValueError: for unequal shapes, NaN or infinity, and images in [0, 1].

    Example:
        >>> image = np.arange(32 * 32 * 4).reshape(32, 32, 4)
        >>> round(q2n(image, image), 12)
        1.0
    """
    return float(q2n_map(fused, reference).mean())


def q2n_map(fused: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the index of every 32x32 block, (rows, columns); images are extended to whole blocks by reflection.

    The deviation of a constant reference block is replaced by machine epsilon, so any difference in the block makes its
    index nearly zero. Arguments and errors as for `q2n`.
    """
    f, g = alike(fused=fused, reference=reference)
    digital_numbers("reference", reference)
    digital_numbers("fused", fused)
    rows, columns = (-(-side // BLOCK) for side in g.shape[:2])
    f, g = (_blocks(_sixteen_bits(image), rows, columns) for image in (f, g))
    steps = range(0, rows * columns, _AT_ONCE)
    values = [_index(g[i : i + _AT_ONCE].astype(np.float64), f[i : i + _AT_ONCE].astype(np.float64)) for i in steps]
    return np.concatenate(values).reshape(rows, columns)


def _sixteen_bits(image: np.ndarray) -> np.ndarray:
    """Return the image as uint16, rounded half up, clipped to 0..65535."""
    return np.clip(np.floor(image + 0.5), 0, 65535).astype(np.uint16)


def _blocks(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return (H, W, B) as (rows * columns, 1024, N) blocks, N being the next power of two."""
    h, w, count = image.shape
    missing = (1 << (count - 1).bit_length()) - count
    image = np.pad(image, ((0, rows * BLOCK - h), (0, columns * BLOCK - w), (0, 0)), mode="symmetric")
    image = np.pad(image, ((0, 0), (0, 0), (0, missing)))
    image = image.reshape(rows, BLOCK, columns, BLOCK, -1).swapaxes(1, 2)
    return image.reshape(rows * columns, BLOCK * BLOCK, -1)


def _index(reference: np.ndarray, fused: np.ndarray) -> np.ndarray:
    """Return the index of each block, (blocks,), from reference and fused blocks (blocks, n pixels, N bands)."""
    n = reference.shape[1]
    mean = reference.mean(axis=1, keepdims=True)
    deviation = reference.std(axis=1, ddof=1, keepdims=True)
    deviation[deviation == 0] = np.finfo(np.float64).eps
    a = (reference - mean) / deviation + 1
    b = np.where(mean == 0, fused + 1, (fused - mean) / deviation + 1)
    b[..., 1:] *= -1  # the conjugate
    k = n / (n - 1)
    mean_a, mean_b = a.mean(axis=1), b.mean(axis=1)
    norm_a, norm_b = (np.square(m).sum(axis=-1) for m in (mean_a, mean_b))
    power = np.square(a).sum(axis=-1).mean(axis=1) + np.square(b).sum(axis=-1).mean(axis=1)
    spread = k * power - k * (norm_a + norm_b)
    bias = 2 * np.sqrt(norm_a * norm_b) / (norm_a + norm_b)
    joint = k * (_product(a, b).mean(axis=1) - _product(mean_a, mean_b))
    with np.errstate(divide="ignore", invalid="ignore"):
        q = 2 / spread * bias * np.sqrt(np.square(joint).sum(axis=-1))
    return np.where(spread == 0, bias, q)


def _conjugate(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x[..., :1], -x[..., 1:]], axis=-1)


def _product(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the hypercomplex product along the last axis, of a power of two's length, by Cayley-Dickson doubling."""
    length = x.shape[-1]
    if length == 1:
        return x * y
    a, b = x[..., : length // 2], _conjugate(x[..., length // 2 :])
    c, d = y[..., : length // 2], _conjugate(y[..., length // 2 :])
    if length == 2:
        return np.concatenate([a * c - d * b, a * d + c * b], axis=-1)
    first = _product(a, c) - _product(d, _conjugate(b))
    return np.concatenate([first, _product(_conjugate(a), d) + _product(c, b)], axis=-1)
