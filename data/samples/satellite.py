"""A simulated satellite scene: fields, bare soil, roads, a river and houses with photographed textures.

Every material has a spectrum over WorldView's eight bands and a texture from a photograph of grass, gravel or brick.
Pan and MS are made from the same radiance, each with its own filter.
"""

import numpy as np
import scipy
import skimage

from data.simulate import imresize, mtf_filter

# Reflectance in coastal, blue, green, yellow, red, red edge, NIR 1, NIR 2: rounded typical values.
MATERIALS = {
    "crop": (0.04, 0.05, 0.09, 0.07, 0.05, 0.26, 0.46, 0.47),
    "meadow": (0.05, 0.06, 0.12, 0.12, 0.10, 0.24, 0.36, 0.37),
    "wood": (0.03, 0.03, 0.05, 0.04, 0.03, 0.16, 0.30, 0.31),
    "soil": (0.10, 0.12, 0.17, 0.22, 0.25, 0.28, 0.31, 0.33),
    "asphalt": (0.11, 0.12, 0.13, 0.135, 0.14, 0.145, 0.15, 0.15),
    "water": (0.09, 0.09, 0.07, 0.045, 0.03, 0.02, 0.01, 0.01),
    "tile": (0.09, 0.10, 0.14, 0.24, 0.34, 0.38, 0.41, 0.42),
    "concrete": (0.26, 0.29, 0.33, 0.35, 0.36, 0.37, 0.38, 0.38),
    "metal": (0.42, 0.44, 0.45, 0.45, 0.45, 0.45, 0.45, 0.44),
}
PAN_WEIGHTS = np.array([0.03, 0.14, 0.22, 0.17, 0.20, 0.14, 0.07, 0.03])  # weight of each band in the pan, sum one
SIDE = 512
SAMPLE_SENSOR, SAMPLE_BITS = "WV3", 11


def sample_pan_scene() -> dict:
    """Return the simulated scene at full resolution: `name`, `ms` (8, 128, 128) and `pan` (1, 512, 512).

    They are float32 in [0, 1], rounded to digital numbers of 11 bits; the bands are WorldView-3's. See
    `satellite_scene`.
    """
    top = 2**SAMPLE_BITS - 1
    ms, pan = (np.rint(image.clip(0, 1) * top) / top for image in satellite_scene(SAMPLE_SENSOR))
    return {
        "name": "sample",
        "ms": np.ascontiguousarray(np.moveaxis(ms, -1, 0), np.float32),
        "pan": pan[None].astype(np.float32),
    }


def satellite_scene(sensor: str, ratio: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Return MS (512 / ratio, 512 / ratio, 8) and pan (512, 512) of the scene, float64, with seeded noise.

    Values are about 0 to 1, not clipped. The noise is shot and read noise.

    Args:
        sensor: the sensor whose MTF blurs the MS: "WV2", "WV3", eight gains, or "none" for the gain 0.3 in every band;
            see `metrics.filters.mtf_kernels`.
        ratio: resolution ratio of MS and pan, a divisor of 512.

    Raises:
        ValueError: for a sensor of another number of bands than eight.
    """
    radiance = _radiance()
    rng = np.random.default_rng(2024)
    low = mtf_filter(radiance, sensor, ratio)[ratio // 2 :: ratio, ratio // 2 :: ratio]
    pan = scipy.ndimage.gaussian_filter(radiance @ PAN_WEIGHTS, 0.62)  # a gain of 0.15 at its own Nyquist frequency
    return _noisy(low, rng), _noisy(pan, rng)


def _noisy(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return image + rng.normal(0, 0.001, image.shape) + 0.003 * np.sqrt(image.clip(0)) * rng.normal(0, 1, image.shape)


def _radiance() -> np.ndarray:
    """Return the radiance (512, 512, 8): materials painted over one another at twice that size, for smooth edges."""
    side = 2 * SIDE
    rng = np.random.default_rng(7)
    grass, gravel, brick = (_texture(t, side) for t in ("grass", "gravel", "brick"))
    y, x = np.mgrid[0:side, 0:side] / side
    image = np.empty((side, side, 8), np.float32)

    def paint(mask: np.ndarray, material: str, shade: np.ndarray) -> None:
        image[mask] = np.array(MATERIALS[material], np.float32) * shade[mask][:, None].astype(np.float32)

    # Fields: a bent grid of parcels, each with its own material, brightness and direction of rows.
    u, v = x + 0.06 * np.sin(5 * y) + 0.12 * y, y - 0.10 * x + 0.05 * np.sin(4 * x)
    parcels = np.floor(u * 5).astype(int) * 16 + np.floor((v + 0.2) * 4).astype(int)
    for parcel in np.unique(parcels):
        kind = ("crop", "meadow", "soil", "crop")[rng.integers(4)]
        rows = 1 + 0.10 * np.sin((np.cos(a := rng.uniform(0, 3.1)) * x + np.sin(a) * y) * rng.uniform(350, 500))
        shade = rng.uniform(0.75, 1.2) * rows * (gravel if kind == "soil" else grass)
        paint(parcels == parcel, kind, shade)
    trees = scipy.ndimage.gaussian_filter(rng.normal(0, 1, (side, side)), 14, mode="wrap")
    paint((trees > 0.9 * trees.std()) & (x + 0.6 * y > 1.05), "wood", 0.4 + 0.6 * grass**2)
    river = np.abs(y - 0.83 - 0.06 * np.sin(7 * x) - 0.04 * x)
    paint(river < 0.045, "soil", 0.8 * gravel)
    paint(river < 0.034, "water", np.ones_like(x) + 0.05 * (grass - 1))

    # A village: two main roads, side streets, houses with shadows to the north-west.
    village = (x < 0.62) & (y < 0.66)
    streets = (np.abs(np.mod(x * 8, 1) - 0.5) < 0.055) | (np.abs(np.mod(y * 6.5, 1) - 0.5) < 0.055)
    paint(village & streets, "asphalt", gravel)
    main_roads = (np.abs(y - 0.70 + 0.15 * (x - 0.5)) < 0.013) | (np.abs(x - 0.655 - 0.05 * y) < 0.013)
    paint(main_roads, "asphalt", 0.9 * gravel)
    for row in np.arange(0.02, 0.62, 1 / 26):
        for column in np.arange(0.02, 0.58, 1 / 24):
            h, w = rng.uniform(0.012, 0.024, 2)
            top, left = row + rng.uniform(0, 0.006), column + rng.uniform(0, 0.006)
            cell = (slice(int(top * side), int((top + h) * side)), slice(int(left * side), int((left + w) * side)))
            roof, angle = ("tile", "tile", "concrete", "metal")[rng.integers(4)], rng.random()
            if rng.random() < 0.25 or streets[cell].any():
                continue
            shadow = tuple(slice(s.start - 8, s.stop - 8) if s.start > 8 else s for s in cell)
            image[shadow] *= 0.35
            half = np.linspace(0, 1, cell[0].stop - cell[0].start)[:, None] > 0.5
            pitch = np.where(half, 1.12, 0.82) if angle < 0.6 else np.ones_like(half, float)
            image[cell] = np.array(MATERIALS[roof]) * (pitch * (0.6 + 0.4 * brick[cell]))[..., None]
    small = image.reshape(SIDE, 2, SIDE, 2, 8).mean(axis=(1, 3), dtype=np.float64)
    return 1.6 * small * (1 + 0.06 * np.sin(3 * x + 2 * y))[::2, ::2, None]


def _texture(name: str, side: int) -> np.ndarray:
    """Return a photographed texture (side, side) as seen from far above: shrunk, mirrored to size, mean about one."""
    image = imresize(getattr(skimage.data, name)() / 255.0 + 0.05, 0.4)
    image = (image / scipy.ndimage.gaussian_filter(image, 16, mode="mirror")).clip(0.3, 1.8)
    return np.pad(0.35 + 0.65 * image, (0, side - len(image)), mode="symmetric")
