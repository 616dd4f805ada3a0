"""Checks of a metric's arguments: type, shape, finite values, and the range that the metric is defined for."""

import numpy as np

GRAY_MOST = 255


def numbers(name: str, given: np.ndarray) -> np.ndarray:
    """Return a float64 copy of an array.

    Raises:
        ValueError: for an empty array, a type other than integer or float, NaN or infinity.
    """
    array = np.asarray(given)
    if array.dtype.kind not in "uif":
        raise ValueError(f"{name}: found values of type {array.dtype}, expected integers or floats")
    if not array.size:
        raise ValueError(f"{name}: found shape {array.shape}, expected at least one pixel")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: found NaN or infinity, expected finite values")
    return array


def bands(name: str, given: np.ndarray) -> np.ndarray:
    """Return an image (H, W, B) or (H, W) as (H, W, B) float64. Raises ValueError for another rank, see `numbers`."""
    array = numbers(name, given)
    if array.ndim not in (2, 3):
        raise ValueError(f"{name}: found shape {array.shape}, expected (H, W) or (H, W, B)")
    return array[..., None] if array.ndim == 2 else array


def alike(**given: np.ndarray) -> list[np.ndarray]:
    """Return several images as `bands` does: alike(fused=..., reference=...).

    Raises:
        ValueError: if an image's shape differs from that of the last one.
    """
    images = {name: bands(name, image) for name, image in given.items()}
    last = list(images)[-1]
    for name, image in images.items():
        if image.shape != images[last].shape:
            found, expected = np.shape(given[name]), np.shape(given[last])
            raise ValueError(f"{name}: found shape {found}, expected that of the {last}, {expected}")
    return list(images.values())


def gray(name: str, given: np.ndarray) -> np.ndarray:
    """Return a gray image (H, W) as float64, 0 to 255.

    Raises:
        ValueError: for another rank, values outside 0..255, and fractions of at most 1 (an image in [0, 1]); see also
            `numbers`.
    """
    array = numbers(name, given)
    if array.ndim != 2:
        raise ValueError(f"{name}: found shape {array.shape}, expected (H, W)")
    least, most = array.min(), array.max()
    if least < 0 or most > GRAY_MOST:
        raise ValueError(f"{name}: found values from {least:g} to {most:g}, expected 0 to {GRAY_MOST}")
    if np.asarray(given).dtype.kind == "f" and most <= 1 and np.any(array % 1):
        raise ValueError(f"{name}: found values from {least:g} to {most:g}, already scaled, expected 0 to {GRAY_MOST}")
    return array


def grays(fused: np.ndarray, infrared: np.ndarray, visible: np.ndarray) -> list[np.ndarray]:
    """Return fused, infrared and visible image as `gray` does. Raises ValueError if their shapes differ."""
    images = [gray(*item) for item in (("fused", fused), ("infrared", infrared), ("visible", visible))]
    for name, image in zip(("infrared", "visible"), images[1:], strict=True):
        if image.shape != images[0].shape:
            raise ValueError(f"{name}: found shape {image.shape}, expected that of the fused image, {images[0].shape}")
    return images


def sides(metric: str, image: np.ndarray, least: int) -> None:
    """Raise ValueError if height or width of an image, (H, W) or (H, W, B), is under `least` pixels.

    The message begins with `metric`.
    """
    if min(image.shape[:2]) < least:
        found = f"{image.shape[0]}x{image.shape[1]}"
        raise ValueError(f"{metric}: found {found} pixels, expected sides of at least {least}")


def digital_numbers(name: str, given: np.ndarray) -> None:
    """Raise ValueError for floats in about [0, 1] (up to 1.5): the metric rounds to whole digital numbers."""
    array = np.asarray(given)
    most = float(array.max())
    if array.dtype.kind == "f" and 0 < most <= 1.5 and np.any(array % 1):
        raise ValueError(f"{name}: found values up to {most:g}, already scaled, expected digital numbers (0 to 2047)")
