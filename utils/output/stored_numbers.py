"""Numbers as the samples of a file, in which all masked pixels, and no others, have the NoData value."""

import numpy as np

UNIT_STEP = 0.001  # by which a measured sample in [0, 1] that equals the NoData value is moved


def as_stored(
    numbers: np.ndarray,
    dtype: np.dtype,
    scale: int,
    nodata: np.generic | None = None,
    valid: np.ndarray | None = None,
    slack: float = 0.0,
) -> np.ndarray:
    """Return digital numbers as samples of a type, in which all masked pixels, and no others, have the NoData value.

    Integers are rounded and clipped, see also `with_nodata`.

    Args:
        numbers: (H, W, B) digital numbers.
        dtype: the sample type.
        scale: digital number of 1.
        nodata: the NoData value as a sample; None if there is none.
        valid: (H, W) bool, False for masked pixels, which need a NoData value; None if no pixel is masked.
        slack: part of the range by which integers may lie outside 0..scale.
    """
    most = float(scale)
    if dtype.kind in "ui":
        most = min(int(scale * (1 + slack)), np.iinfo(dtype).max)
        numbers = np.rint(numbers.clip(max(int(-scale * slack), np.iinfo(dtype).min), most))
    return with_nodata(numbers.astype(dtype), nodata, valid, most)


def with_nodata(stored: np.ndarray, nodata: np.generic | None, valid: np.ndarray | None, most: float) -> np.ndarray:
    """Return samples, changed in place, in which all masked pixels, and no others, have the NoData value.

    A measured sample equal to the NoData value is moved by one digital number (floats in [0, 1]: by 0.001).

    Args:
        stored: (H, W) or (H, W, B) samples.
        nodata, valid: see `as_stored`.
        most: the largest sample.
    """
    if nodata is not None:
        step = 1 if most > 1 or stored.dtype.kind in "ui" else UNIT_STEP
        value = nodata.item()  # a Python number, as the type's largest number plus one would overflow
        stored[stored == nodata] = value + step if value + step <= most else value - step
    if valid is not None:
        stored[~valid] = nodata
    return stored
