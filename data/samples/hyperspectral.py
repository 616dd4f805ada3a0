"""Hyperspectral scenes simulated from the embedded photographs."""

import numpy as np
import scipy
import skimage

from data.simulate import spectral_response


def sample_hyperspectral() -> list[dict]:
    """Return two simulated scenes of 31 bands, 400 to 700 nm, 256 by 256 pixels; items as in `CAVE`.

    Each spectrum is the smoothest one to which the camera (`spectral_response`) responds with the photograph's colour,
    plus a part to which this camera does not respond (a metameric black). Sign and size of this part depend on the hue
    and change slowly over the image. As in real scenes, the colour alone therefore does not determine the spectrum.
    """
    scenes = {"coffee": skimage.data.coffee()[72:328, 150:406], "astronaut": skimage.data.astronaut()[20:276, 90:346]}
    return [
        {"name": name, "gt": np.ascontiguousarray(np.moveaxis(_spectra(rgb / 255.0), -1, 0), np.float32)}
        for name, rgb in scenes.items()
    ]


def _spectra(rgb: np.ndarray) -> np.ndarray:
    """Return reflectances (H, W, 31) in [0, 1] for colours (H, W, 3) in [0, 1]."""
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
    place = scipy.ndimage.gaussian_filter(np.random.default_rng(31).normal(0, 1, hue.shape), 20, mode="wrap")
    place /= place.std()
    amounts = np.stack([np.sin(2 * hue + place), np.cos(3 * hue - place)], axis=-1)
    spectra += 0.05 * np.sqrt(colours.mean(axis=-1))[..., None] * (amounts @ blacks)
    return spectra.clip(0.0, 1.0)
