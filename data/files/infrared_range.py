"""Which range of an infrared image becomes 0 to 1: counts, Kelvin and degrees fill little of that of their type."""

from typing import Literal

import numpy as np

from data.errors import DataError

from .nodata import LEAST_BORDER, from_the_border
from .sample_range import TAIL, listed, spread, uses_little

STRETCH: Literal["stretch"] = "stretch"
DOUBT = "nearly all samples within a quarter of the"
OPTIONS = "--stretch-infrared or --infrared-range LO,HI"
InfraredRange = Literal["stretch"] | tuple[float, float]


def scaled(
    image: np.ndarray, where: object, wanted: InfraredRange, missing: np.ndarray | None = None
) -> tuple[np.ndarray, list[str]]:
    """Samples of any numeric type and unit -> float32 in [0, 1], cut there, with a line for what was done.

    Args:
        image: (H, W).
        where: the file, for messages.
        wanted: "stretch", from the 0.5th to the 99.5th percentile of this image; or (low, high) in its own unit.
        missing: (H, W) bool, pixels of NoData: they become black. They are in no percentile, as a border of zeros is.

    Raises:
        DataError: where no sample is within (low, high).
    """
    numbers = image.astype(np.float64)
    missing = np.zeros(image.shape, bool) if missing is None else missing
    left_out, notes = (missing, list[str]()) if not isinstance(wanted, str) else _left_out(numbers, missing)
    low, high = spread(numbers[~left_out]) if isinstance(wanted, str) else wanted
    unit = ((numbers - low) / (high - low) if high > low else np.zeros_like(numbers)).clip(0, 1).astype(np.float32)
    unit[missing] = 0
    if isinstance(wanted, str):
        flat = [] if high > low else ["black, as all samples are equal"]
        done = f"stretched, the {TAIL}th to {100 - TAIL}th percentile of each image became 0 to 1"
        return unit, [done, *notes, *flat]
    outside = ((numbers < low) | (numbers > high)) & ~missing
    if outside.all():
        raise DataError(where, f"samples {listed(image)}", f"some in {low:g} to {high:g} (--infrared-range)")
    return unit, [f"{low:g} to {high:g} became 0 to 1{', values outside were cut' if outside.any() else ''}"]


def _left_out(numbers: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Pixels that are in no percentile, and a line where a border is: that of a frame warped onto another."""
    border = from_the_border(numbers == 0) & ~missing
    if border.mean() < LEAST_BORDER or (border | missing).all():
        return (missing if not missing.all() else np.zeros_like(missing)), []
    return border | missing, ["a border of zeros left out of the percentiles"]


def uses_little_of(image: np.ndarray, bits: int | None) -> str | None:
    """The name of the range that samples hardly use, where they are deeper than 8 bits; None where they do use it.

    Args:
        image: (H, W), as stored.
        bits: their declared depth, that of their type by default.
    """
    depth = bits or 8 * image.dtype.itemsize
    if image.dtype.kind == "f":
        return "range of floats, 0 to 1" if image.max() <= 1 and uses_little(image * np.float64(255), 8) else None
    deep = image.dtype.kind == "u" and image.dtype.itemsize > 1
    return f"{depth}-bit range" if deep and uses_little(image, depth) else None


def doubts(image: np.ndarray, bits: int | None, remedy: str) -> list[str]:
    """A line where samples, stored or declared deeper than 8 bits, fill so little of their range that little shows."""
    name = uses_little_of(image, bits)
    return [] if name is None else [f"{DOUBT} {name}, little shows ({remedy})"]


def refuse_guess(image: np.ndarray, where: object, bits: int | None, option: str) -> None:
    """Raise where integers of no declared depth are deeper than 8 bits and may be of fewer than their type has.

    Args:
        image: (H, W), as stored.
        where: the file, for messages.
        bits: their declared depth.
        option: that declares it.

    Raises:
        DataError: see above.
    """
    name = uses_little_of(image, bits)
    if bits is None and name and image.dtype.kind == "u":
        found = f"samples {listed(image)}, nearly all within a quarter of the {name}"
        raise DataError(where, found, f"their bit depth ({option})")
