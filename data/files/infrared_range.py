"""Maps a part of an infrared image's range to 0..1, because counts and temperatures use little of the whole range."""

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
    """Map samples of any numeric type and unit to [0, 1], clipped.

    Args:
        image: (H, W).
        where: the file, for messages.
        wanted: the values that become 0 and 1: (low, high) in the image's unit, or "stretch" for its 0.5th and 99.5th
            percentile.
        missing: (H, W) bool, filled NoData pixels. Neither they nor a border of zeros count in the percentiles.

    Returns:
        (H, W) float32, and notes on the conversion.

    Raises:
        DataError: if no sample is within (low, high).
    """
    numbers = image.astype(np.float64)
    missing = np.zeros(image.shape, bool) if missing is None else missing
    left_out, notes = (missing, list[str]()) if not isinstance(wanted, str) else _left_out(numbers, missing)
    low, high = spread(numbers[~left_out]) if isinstance(wanted, str) else wanted
    unit = ((numbers - low) / (high - low) if high > low else np.zeros_like(numbers)).clip(0, 1).astype(np.float32)
    if isinstance(wanted, str):
        flat = [] if high > low else ["black, as all samples are equal"]
        done = f"stretched, the {TAIL}th to {100 - TAIL}th percentile of each image became 0 to 1"
        return unit, [done, *notes, *flat]
    outside = (numbers < low) | (numbers > high)
    if outside.all():
        raise DataError(where, f"samples {listed(image)}", f"some in {low:g} to {high:g} (--infrared-range)")
    return unit, [f"{low:g} to {high:g} became 0 to 1{', values outside were cut' if outside.any() else ''}"]


def _left_out(numbers: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return the pixels to leave out of the percentiles, and a note if a border of zeros is among them.

    Such a border comes from warping a frame onto another.
    """
    border = from_the_border(numbers == 0) & ~missing
    if border.mean() < LEAST_BORDER or (border | missing).all():
        return (missing if not missing.all() else np.zeros_like(missing)), []
    return border | missing, ["a border of zeros left out of the percentiles"]


def uses_little_of(image: np.ndarray, bits: int | None) -> str | None:
    """Return the name of the samples' full range ("16-bit range") if they use less than a quarter of it, else None.

    The result for 8-bit samples is None.

    Args:
        image: (H, W), as stored.
        bits: bit depth of the samples, by default that of their type.
    """
    depth = bits or 8 * image.dtype.itemsize
    if image.dtype.kind == "f":
        return "range of floats, 0 to 1" if image.max() <= 1 and uses_little(image * np.float64(255), 8) else None
    deep = image.dtype.kind == "u" and image.dtype.itemsize > 1
    return f"{depth}-bit range" if deep and uses_little(image, depth) else None


def doubts(image: np.ndarray, bits: int | None, remedy: str) -> list[str]:
    """Return a note with `remedy` if `uses_little_of` names a range, because such an image shows little contrast."""
    name = uses_little_of(image, bits)
    return [] if name is None else [f"{DOUBT} {name}, little shows ({remedy})"]


def refuse_guess(image: np.ndarray, where: object, bits: int | None, option: str) -> None:
    """Refuse integers of more than 8 bits that may have fewer bits than their type, unless a depth is declared.

    Args:
        image: (H, W), as stored.
        where: the file, for messages.
        bits: declared bit depth; None if there is none.
        option: the option that declares the depth, for the message.

    Raises:
        DataError: if `bits` is None and the integers use less than a quarter of their type's range.
    """
    name = uses_little_of(image, bits)
    if bits is None and name and image.dtype.kind == "u":
        found = f"samples {listed(image)}, nearly all within a quarter of the {name}"
        raise DataError(where, found, f"their bit depth ({option})")
