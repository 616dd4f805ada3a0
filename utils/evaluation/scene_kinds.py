"""What pansharpening and hyperspectral fusion do differently with two images of one scene."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from data.simulate import imresize, interp23


class SceneKind(NamedTuple):
    """How a scene's image of low resolution is upsampled to its guide, and what messages call the two.

    Attributes:
        low, guide: names of the images.
        ratios: accepted ratios of pixel sizes.
        upsampled: function of an image (h, w, B) and a ratio that returns it (h * ratio, w * ratio, B).
        margin: pixels around a window of the low image that its upsampling depends on.
        border: how the low image goes on outside, a mode of NumPy's pad: "wrap" or "symmetric".
        like_low: whether the fused image has the sample type and range of the low image; else those of the guide.
        slack: part of the range by which samples may lie outside it.
        guide_bits: option that sets the guide's bit depth.
        guide_bands: number of bands of the guide; None accepts any.
    """

    low: str
    guide: str
    ratios: tuple[int, ...]
    upsampled: Callable[[np.ndarray, int], np.ndarray]
    margin: int
    border: str
    like_low: bool
    slack: float
    guide_bits: str
    guide_bands: int | None = None


def _bilinear(image: np.ndarray, ratio: int) -> np.ndarray:
    return imresize(image, ratio, "bilinear")


# interp23's circular filter has 23 taps and is applied twice. Surface reflectance lies a little outside [0, 1] in
# places, which digital numbers of a sensor cannot.
PANSHARPENING = SceneKind(
    "MS image", "pan", (2, 4, 8), interp23, 12, "wrap", like_low=False, slack=0.0, guide_bits="--bits", guide_bands=1
)
HYPERSPECTRAL = SceneKind(
    "HSI", "MSI", tuple(range(2, 33)), _bilinear, 2, "symmetric", like_low=True, slack=0.1, guide_bits="--msi-bits"
)
