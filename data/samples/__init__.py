"""The embedded sample: small scenes made in code from scikit-image's bundled photographs, the same on every machine.

They stand in for data that nobody may redistribute, so that everything runs without a download. They are simulated:
numbers on them say that the software works, not how well a method does. Every table says which data it is from.
"""

import numpy as np
from scipy import ndimage
from skimage import data as pictures

from data.files.image_file import BT601
from data.files.sample_type import Storage, eight_bit
from data.simulate import spectral_response

from .satellite import satellite_scene

SAMPLE_SENSOR, SAMPLE_BITS = "WV3", 11


def sample_pairs() -> list[dict]:
    """Four infrared/visible pairs; items as of `PairedImages`, 240 to 304 by 320 to 360 pixels.

    The visible image is the photograph under failing light (a dark side), with sensor noise; its luma is fused. The
    infrared image is simulated from the same pixels: warm materials (skin, fur, flame, hot drink) bright, others by a
    smooth heat map, at a lower resolution than the visible one. So each shows what the other does not.
    """
    rocket = pictures.rocket()[90:394, 170:530]
    scenes = {
        "astronaut": (pictures.astronaut()[0:304, 60:380], "left"),
        "chelsea": (pictures.chelsea()[20:276, 70:430], "right"),
        "coffee": (pictures.coffee()[60:364, 140:500], "bottom"),
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

    red, green, blue = np.moveaxis(ndimage.gaussian_filter(rgb, (1.5, 1.5, 0)), -1, 0)
    warmth = _smoothstep(red - 0.5 * (green + blue), 0.03, 0.16) * _smoothstep(red, 0.2, 0.8)
    ambient = 0.16 + 0.22 * ndimage.gaussian_filter(1 - luma, 6)  # dark surfaces have taken up more sun
    texture = 0.22 * (ndimage.gaussian_filter(luma, 1.2) - ndimage.gaussian_filter(luma, 8))
    infrared = ndimage.gaussian_filter(ambient + texture + 0.55 * warmth, 1.0) + rng.normal(0, 0.01, (h, w))
    return {
        "name": name,
        "visible": eight_bit(visible)[None],
        "infrared": eight_bit(infrared)[None],
        "colour": eight_bit(colour),
        "coloured": "visible",
        "storage": Storage("uint8", 255),
        "notes": [],
    }


def sample_pan_scene() -> dict:
    """A simulated 8-band scene with its pan, before Wald's protocol: `ms` (8, 128, 128), `pan` (1, 512, 512).

    float32 in [0, 1] of 11 bits, whole digital numbers; bands named as WorldView-3's. See `satellite.satellite_scene`.
    """
    top = 2**SAMPLE_BITS - 1
    ms, pan = (np.rint(image.clip(0, 1) * top) / top for image in satellite_scene(SAMPLE_SENSOR))
    return {"name": "sample", "ms": _channels_first(ms), "pan": pan[None].astype(np.float32)}


def sample_hyperspectral() -> list[dict]:
    """Two simulated scenes of 31 bands, 400 to 700 nm; items as of `CAVE`, 256 by 256 pixels.

    Spectra are the smoothest ones that the camera (`spectral_response`) sees as the photograph's colours, plus a part
    that this camera cannot see at all (a metameric black), whose sign and size follow the hue and slowly change with
    the place: so the spectrum cannot be told from the colours alone, as in real scenes.
    """
    scenes = {"coffee": pictures.coffee()[72:328, 150:406], "astronaut": pictures.astronaut()[20:276, 90:346]}
    return [{"name": name, "gt": _channels_first(_spectra(rgb / 255.0))} for name, rgb in scenes.items()]


def _spectra(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) in [0, 1] -> (H, W, 31) reflectances in [0, 1]."""
    response = spectral_response()
    bands = len(response)
    bend = np.diff(np.eye(bands), n=2, axis=0)
    # Smallest sum of squared second differences with R^T s = (b, g, r): a Lagrange system, solved once.
    system = np.block([[bend.T @ bend + 1e-4 * np.eye(bands), response], [response.T, np.zeros((3, 3))]])
    to_spectrum = np.linalg.inv(system)[:bands, bands:]
    colours = 0.06 + 0.80 * rgb[..., ::-1] ** 1.4
    spectra = colours @ to_spectrum.T
    unseen = np.eye(bands) - response @ np.linalg.pinv(response)
    wave = np.linspace(0, 1, bands)
    blacks = np.stack([np.sin(2 * np.pi * (3 * wave + phase)) * np.hanning(bands) for phase in (0.0, 0.25)]) @ unseen
    blue, green, red = np.moveaxis(colours, -1, 0)
    hue = np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)
    place = ndimage.gaussian_filter(np.random.default_rng(31).normal(0, 1, hue.shape), 20, mode="wrap")
    place /= place.std()
    amounts = np.stack([np.sin(2 * hue + place), np.cos(3 * hue - place)], axis=-1)
    spectra += 0.05 * np.sqrt(colours.mean(axis=-1))[..., None] * (amounts @ blacks)
    return spectra.clip(0.0, 1.0)


def _smoothstep(x: np.ndarray, low: float, high: float) -> np.ndarray:
    t = ((x - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)


def _channels_first(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(image, -1, 0), np.float32)
