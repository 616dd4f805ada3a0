"""Pairs as at night, made from pairs of the day: darker, with a camera's noise, lamps left bright. Ours.

Street scenes with registered pairs are mostly of the day; a network that has seen no darkness pulls dark ground to
black. Levels fall to a tenth, gamma up to 1.6; shot noise has a variance that grows with the light, read noise has
one that does not.
"""

import numpy as np

LEAST, MOST = 0.1, 0.5  # factor of the light
GAMMA = 1.0, 1.6
READ, SHOT = 0.012, 0.0015  # largest standard deviation of read noise; largest variance of shot noise at full light
LAMP = 0.92  # brightness from which on a pixel is a lamp and stays, where few are


def darkened(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One image at the exposure of night, rounded to 8 bits; lamps, the brightest hundredth at most, keep their light.

    Args:
        image: (1, H, W) in [0, 1].
        rng: decides level, gamma and noise.

    Returns:
        (1, H, W) float32 in [0, 1].
    """
    level, gamma = rng.uniform(np.log(LEAST), np.log(MOST)), rng.uniform(*GAMMA)
    dark = np.exp(level) * image.astype(np.float64) ** gamma
    threshold = max(LAMP, float(np.quantile(image, 0.99)))
    lamp = np.clip((image - threshold) / max(1 - threshold, 1e-3), 0, 1)
    dark += lamp * (image - dark)
    deviation = np.sqrt(rng.uniform(0, READ) ** 2 + rng.uniform(0, SHOT) * dark)
    noisy = dark + deviation * rng.standard_normal(image.shape)
    return (np.rint(noisy.clip(0, 1) * 255) / 255).astype(np.float32)


def night_pair(visible: np.ndarray, infrared: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A pair at night: the visible image darkened, and the infrared one, too, for every second pair.

    Args:
        visible, infrared: (1, H, W) in [0, 1].
        rng: decides.
    """
    both = rng.random() < 0.5
    dark = darkened(visible, rng)
    return dark, darkened(infrared, rng) if both else infrared
