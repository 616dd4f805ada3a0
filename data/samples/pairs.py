"""Infrared-visible pairs simulated from the embedded photographs."""

import numpy as np
import scipy
import skimage

from data.files.image_file import BT601
from data.files.sample_type import Storage, eight_bit


def sample_pairs() -> list[dict]:
    """Return four infrared-visible pairs, 256 to 304 by 320 to 360 pixels; items as in `PairedImages`.

    The visible image is the photograph with one dark side and sensor noise; its luma is fused. The infrared image is
    simulated from the same pixels: warm materials (skin, fur, flame, hot drink) are bright, others follow a smooth heat
    map, and its resolution is lower than the visible one's. Each image shows content that the other lacks.
    """
    rocket = skimage.data.rocket()[90:394, 170:530]
    scenes = {
        "astronaut": (skimage.data.astronaut()[0:304, 60:380], "left"),
        "chelsea": (skimage.data.chelsea()[20:276, 70:430], "right"),
        "coffee": (skimage.data.coffee()[60:364, 140:500], "bottom"),
        "rocket": (rocket, "right"),
    }
    return [_pair(name, rgb / 255.0, side, seed) for seed, (name, (rgb, side)) in enumerate(scenes.items())]


def _pair(name: str, rgb: np.ndarray, dark_side: str, seed: int) -> dict:
    rng = np.random.default_rng(seed)
    luma = rgb @ BT601
    h, w = luma.shape
    across = {"left": np.linspace(1, 0, w), "right": np.linspace(0, 1, w), "bottom": np.linspace(0, 1, h)[:, None]}
    light = 1 - 0.85 * _smoothstep(across[dark_side] * np.ones((h, w)), 0.45, 0.95)
    noise = rng.normal(0, 0.008, (h, w))
    visible = luma * light + noise
    colour = np.moveaxis(rgb * light[..., None] + noise[..., None], -1, 0)

    red, green, blue = np.moveaxis(scipy.ndimage.gaussian_filter(rgb, (1.5, 1.5, 0)), -1, 0)
    warmth = _smoothstep(red - 0.5 * (green + blue), 0.03, 0.16) * _smoothstep(red, 0.2, 0.8)
    ambient = 0.16 + 0.22 * scipy.ndimage.gaussian_filter(1 - luma, 6)  # dark surfaces have taken up more sun
    texture = 0.22 * (scipy.ndimage.gaussian_filter(luma, 1.2) - scipy.ndimage.gaussian_filter(luma, 8))
    infrared = scipy.ndimage.gaussian_filter(ambient + texture + 0.55 * warmth, 1.0) + rng.normal(0, 0.01, (h, w))
    return {
        "name": name,
        "visible": eight_bit(visible)[None],
        "infrared": eight_bit(infrared)[None],
        "colour": eight_bit(colour),
        "coloured": "visible",
        "storage": Storage("uint8", 255),
        "notes": [],
    }


def _smoothstep(x: np.ndarray, low: float, high: float) -> np.ndarray:
    t = ((x - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)
