"""Resampling of an image to the size of its partner, and the error for pairs whose sizes differ."""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from data.errors import DataError

TOOLS = "OpenCV's findTransformECC, SimpleITK or elastix"
REGISTER = f"images registered onto each other first (by {TOOLS})"
OPTION = "--resize-infrared"


def plain_factor(sides: tuple[int, ...], wanted: tuple[int, ...]) -> Fraction | None:
    """Return the factor wanted / sides if it is the same for all sides and not 1, else None."""
    factors = {Fraction(b, a) for a, b in zip(sides, wanted, strict=True)}
    return factors.pop() if len(factors) == 1 and sides != wanted else None


def resized(image: np.ndarray, wanted: tuple[int, int]) -> tuple[np.ndarray, str]:
    """Return an image resampled to other sides, float32 of the same rank, and a note on the resampling.

    Both sizes are assumed to show the same field of view. Enlarging is bicubic, reducing averages areas; the result is
    clipped to [0, 1].

    Args:
        image: (H, W), or (C, H, W), float32 in [0, 1].
        wanted: (height, width).
    """
    sides = image.shape[-2:]
    larger = wanted[0] > sides[0]
    how = cv2.INTER_CUBIC if larger else cv2.INTER_AREA
    planes = image if image.ndim == 3 else image[None]
    out = np.stack([cv2.resize(plane, wanted[::-1], interpolation=how) for plane in planes]).clip(0, 1)
    said = (
        f"resized from {sides[0]}x{sides[1]} to {wanted[0]}x{wanted[1]} ({'bicubic' if larger else 'means of areas'}), "
        f"taken to show the same field of view ({OPTION})"
    )
    return out if image.ndim == 3 else out[0], said


def refuse_sides(path: Path, found: str, expected: str, factor: Fraction | None, offered: bool) -> DataError:
    """Return the error for a pair whose sizes differ; its message ends in a remedy.

    Args:
        path: the image that the message names.
        found, expected: sides of this image and of its partner, as text.
        factor: see `plain_factor`.
        offered: whether the command has the option --resize-infrared.
    """
    if factor is not None and offered:
        remedy = f"{OPTION} if both show the same field of view, else {REGISTER}"
    else:
        remedy = REGISTER
    return DataError(path, found, f"{expected}: {remedy}")
