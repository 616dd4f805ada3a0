"""Photograph pairs simulated from the embedded photographs: half out of focus, or exposed too short and too long."""

import numpy as np
import scipy
import skimage

from data.files.sample_type import Storage, eight_bit

BLUR = 3.0  # standard deviation of the defocus, in pixels
STOPS = 1.5  # exposure stops, less and more


def sample_photograph_pairs(kind: str) -> list[dict]:
    """Return two pairs; items as in `PhotographPairs`, plus `reference` (3, H, W), the original photograph.

    Multi-focus: one side of a slanted, wavy line is sharp, the other is blurred by a Gaussian. Multi-exposure: linear
    light (gamma 2.2) is multiplied by 2^-1.5 and 2^1.5, clipped and rounded to eight bits, so that dark parts of the
    first lose their detail in rounding and bright parts of the second are white.

    Args:
        kind: "multifocus" or "multiexposure".
    """
    scenes = {
        "coffee": skimage.data.coffee()[60:364, 140:500],
        "chelsea": skimage.data.chelsea()[10:280, 70:430],
    }
    pairs = []
    for name, rgb in scenes.items():
        image = np.moveaxis(rgb / 255.0, -1, 0)
        first, second = (_focused if kind == "multifocus" else _exposed)(image)
        kept = {"storage": Storage("uint8", 255), "notes": []}
        images = {"first": first, "second": second, "reference": image}
        pairs.append({"name": name, **{key: eight_bit(x) for key, x in images.items()}, **kept})
    return pairs


def _focused(image: np.ndarray) -> list[np.ndarray]:
    height, width = image.shape[1:]
    y, x = np.mgrid[:height, :width]
    line = 0.5 * width + 0.25 * (y - height / 2) + 0.06 * width * np.sin(y / 30)
    near = (x < line).astype(np.float64)
    return [_behind(image, mask) for mask in (near, 1 - near)]


def _behind(image: np.ndarray, sharp: np.ndarray) -> np.ndarray:
    """Return the image, unchanged where the mask `sharp` is 1, elsewhere blurred without light from the sharp side."""
    soft = [scipy.ndimage.gaussian_filter(x, BLUR, mode="mirror") for x in (*(image * (1 - sharp)), 1 - sharp)]
    behind = np.stack(soft[:-1]) / np.maximum(soft[-1], 1e-3)
    return sharp * image + (1 - sharp) * behind


def _exposed(image: np.ndarray) -> list[np.ndarray]:
    return [(image**2.2 * 2**stops).clip(0, 1) ** (1 / 2.2) for stops in (-STOPS, STOPS)]
