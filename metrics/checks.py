"""Arrays at the door of a metric: float64, one shape, finite, in the range that the metric is defined for."""

import numpy as np

GRAY_MOST = 255


def numbers(name: str, given: np.ndarray) -> np.ndarray:
    """A float64 copy.

    Raises:
        ValueError: for an empty array, other types than integers and floats, NaN and infinity.
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
    """(H, W, B) float64 of (H, W, B) or (H, W)."""
    array = numbers(name, given)
    if array.ndim not in (2, 3):
        raise ValueError(f"{name}: found shape {array.shape}, expected (H, W) or (H, W, B)")
    return array[..., None] if array.ndim == 2 else array


def alike(**given: np.ndarray) -> list[np.ndarray]:
    """Several images as `bands`, all of the last one's shape: alike(fused=..., reference=...)."""
    images = {name: bands(name, image) for name, image in given.items()}
    last = list(images)[-1]
    for name, image in images.items():
        if image.shape != images[last].shape:
            found, expected = np.shape(given[name]), np.shape(given[last])
            raise ValueError(f"{name}: found shape {found}, expected that of the {last}, {expected}")
    return list(images.values())


def gray(name: str, given: np.ndarray) -> np.ndarray:
    """(H, W) float64 in gray values, 0 to 255.

    Raises:
        ValueError: also for another rank, values outside 0..255, and floats that end at 1 (images in [0, 1]).
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
    """The three images of infrared-visible fusion as `gray`, of one shape."""
    images = [gray(*item) for item in (("fused", fused), ("infrared", infrared), ("visible", visible))]
    for name, image in zip(("infrared", "visible"), images[1:], strict=True):
        if image.shape != images[0].shape:
            raise ValueError(f"{name}: found shape {image.shape}, expected that of the fused image, {images[0].shape}")
    return images


def sides(metric: str, image: np.ndarray, least: int) -> None:
    """Raise ValueError for an image with sides under `least` pixels."""
    if min(image.shape[:2]) < least:
        found = f"{image.shape[0]}x{image.shape[1]}"
        raise ValueError(f"{metric}: found {found} pixels, expected sides of at least {least}")


def digital_numbers(name: str, given: np.ndarray) -> None:
    """Raise ValueError for floats that are in [0, 1], where a metric rounds to whole digital numbers."""
    array = np.asarray(given)
    most = float(array.max())
    if array.dtype.kind == "f" and 0 < most <= 1.5 and np.any(array % 1):
        raise ValueError(f"{name}: found values up to {most:g}, already scaled, expected digital numbers (0 to 2047)")
