"""Simulates night in pairs taken by day: darker, with a camera's noise, but with bright lamps. This is ours.

Most registered pairs of street scenes are taken by day, and a network trained on them turns dark surfaces black. Images
are multiplied by 0.1 to 0.5 after a gamma of 1.0 to 1.6. The variance of shot noise grows with the light, the variance
of read noise is constant.
"""

import numpy as np

LEAST, MOST = 0.1, 0.5  # factor of the light
GAMMA = 1.0, 1.6
READ, SHOT = 0.012, 0.0015  # largest standard deviation of read noise; largest variance of shot noise at full light
LAMP = 0.92  # pixels brighter than this are lamps and stay bright, at most the brightest hundredth


def darkened(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an image as it would be at night, rounded to 8 bits; lamps, up to one percent of the pixels, stay bright.

    Args:
        image: (1, H, W) in [0, 1].
        rng: random numbers for level, gamma and noise.

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
    """Return a pair as it would be at night, each (1, H, W).

    The visible image is darkened, and with probability 1/2 the infrared image as well.

    Args:
        visible, infrared: (1, H, W) in [0, 1].
        rng: random numbers of the sample.
    """
    both = rng.random() < 0.5
    dark = darkened(visible, rng)
    return dark, darkened(infrared, rng) if both else infrared
