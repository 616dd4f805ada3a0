"""Checks that a measured cube and a camera image show one scene in one unit, by the camera's spectral response.

The response makes the camera's channels from the cube's bands. Where the given channels are far from these, the fused
cube is wrong although it may look right: another order of the channels, another unit, another ground.
"""

import numpy as np

from data.errors import DataError

from .scene_pair import ScenePair

SEEN = 1024  # pixels of the guide per side that are compared, in the scene's middle
OURS = np.linspace(400, 700, 31)  # nanometres, the bands that our weights were trained on
NEAR = 15.0  # nanometres by which bands may differ from these without a remark
GAINS = (0.8, 1.25)  # ratio of given and computed brightness without a remark
ALIKE = 0.8  # correlation with the computed channel without a remark
CLEARLY = 0.5  # part of the other order's error that shows that the channels are in reverse


def channel_order(scene: ScenePair, srf: np.ndarray) -> str | None:
    """Turn the guide's channels around if its file declares red, green and blue and the response has blue first.

    Args:
        scene: the scene; its guide is changed.
        srf: the response (B, channels), bands from short to long wavelengths.

    Returns:
        A remark, or None if nothing is changed.
    """
    centres = np.arange(len(srf)) @ srf / srf.sum(axis=0)
    guide = scene.guide
    if not (guide.described.rgb and guide.shape[0] == 3 == srf.shape[1] and (np.diff(centres) > 0).all()):
        return None
    scene.measured_guide.reverse_bands()
    return "The MSI's red, green and blue are taken in the response's order: blue, green, red."


def other_wavelengths(scene: ScenePair, ours: bool) -> str | None:
    """Return a remark if the HSI's bands are not those of our weights; None if they are, or if it is not known."""
    there = np.array(scene.low.wavelengths)
    if not ours or there.shape != OURS.shape or np.abs(there - OURS).max() <= NEAR:
        return None
    return (
        f"The HSI's bands are {there[0]:g} to {there[-1]:g} nm, those of these weights 400 to 700 nm in steps of 10: "
        "the fused spectra are wrong."
    )


def linear(image: np.ndarray) -> np.ndarray:
    """Return an image of sRGB's tone curve (IEC 61966-2-1) in linear light; both in [0, 1]."""
    image = np.clip(image, 0, 1)
    return np.where(image <= 0.04045, image / 12.92, ((image + 0.055) / 1.055) ** 2.4).astype(np.float32)


def compare(scene: ScenePair, srf: np.ndarray) -> list[str]:
    """Return remarks on channels that differ from what the response makes of the cube.

    Args:
        scene: the scene.
        srf: the response (B, channels).

    Raises:
        DataError: if the channels fit much better in reverse order.
    """
    expected, found = _channels(scene, srf)
    if expected.shape[1] < 2:
        return ["The scene's middle is not measured: whether the MSI fits the HSI by the response was not compared."]
    order = [_misfit(expected, found), _misfit(expected, found[::-1])]
    if order[1] < CLEARLY * order[0]:
        declared = "channels declared red, green, blue" if scene.guide.described.rgb else "channels in another order"
        wanted = "channels that fit what the response makes of the HSI; these do in reverse order"
        raise DataError(scene.guide.path, f"{len(found)} {declared}", wanted)
    if _misfit(expected, linear(found)) < CLEARLY * order[0]:
        return [
            "The MSI has a tone curve like sRGB's, as photographs have, but the fusion needs linear samples: give "
            "--msi-srgb, or develop it without a curve. As it is the fused spectra are wrong."
        ]
    remarks = []
    gains = (expected * found).sum(axis=1) / np.maximum((expected**2).sum(axis=1), 1e-12)
    if not all(GAINS[0] <= gain <= GAINS[1] for gain in gains):
        listed = ", ".join(f"{gain:.2g}" for gain in gains)
        remarks.append(
            f"The MSI is {listed} times as bright (by channel) as the response makes it from the HSI: both must have "
            "one unit (--bits, --msi-bits, --hsi-one, --msi-one), or the fused spectra are wrong."
        )
    for number, (a, b) in enumerate(zip(expected, found, strict=True), 1):
        if (alike := _correlation(a, b)) < ALIKE:
            remarks.append(
                f"Channel {number} of the MSI correlates by {alike:.2f} with what the response makes of the HSI: "
                "another response (--srf), other bands, or images that are not registered."
            )
    return remarks


def _channels(scene: ScenePair, srf: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the channels that the response makes and the given ones, at low resolution, (channels, pixels) each."""
    spans = []
    for side in scene.low.shape[1:]:
        seen = max(SEEN // scene.ratio, 1)
        first = max(0, (side - seen) // 2)
        spans.append((first, min(first + seen, side)))
    ratio, (rows, columns) = scene.ratio, spans
    low = scene.unit(scene.measured_low, rows, columns)
    fine = [(first * ratio, end * ratio) for first, end in spans]
    guide = scene.unit(scene.measured_guide, *fine)
    height, width = low.shape[1:]
    coarse = guide.reshape(len(guide), height, ratio, width, ratio).mean(axis=(2, 4))
    valid = scene.valid(*fine).reshape(height, ratio, width, ratio).all(axis=(1, 3))
    return (np.tensordot(srf.T, low, 1)[:, valid], coarse[:, valid])


def _misfit(expected: np.ndarray, found: np.ndarray) -> float:
    """Return the RMS difference after both are divided by their means, which makes their units equal."""
    a, b = (x / max(float(x.mean()), 1e-12) for x in (expected, found))
    return float(np.sqrt(((a - b) ** 2).mean()))


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum() / norm) if norm else 1.0
