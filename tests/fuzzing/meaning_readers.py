"""Readers of `known_truths`: each compares what it reads with the truth, and fails where that is wrong in silence."""

from argparse import Namespace
from pathlib import Path

import numpy as np

from data import Harvard, PairedImages
from data.errors import DataError
from data.files.band_images import Cubes
from data.files.image_file import read_raster, to_unit
from data.files.infrared_range import DOUBT
from data.pan_scenes import PanScenes
from data.patches.h5 import H5Patches

CLOSE = 1e-4
SIDE = 12
PAIRS = 3


def _truth(path: Path) -> Namespace:
    with np.load(path / "truth.npz") as file:
        return Namespace(**{name: file[name][()] for name in file})


def _wrong(what: str) -> AssertionError:
    return AssertionError(f"read wrongly in silence: {what}")


def elsewhere(path: Path) -> None:
    """HDF5 that keeps an array in another file is refused by every reader that takes it."""
    outside = _truth(path).outside
    for name, read in (
        ("scene.h5", lambda f: [*PanScenes(f).file]),
        ("scene.h5", lambda f: Cubes(f).read(0, (4, 16, 16))),
        ("patches.h5", lambda f: H5Patches(f).sample(0)),
        ("ref.mat", lambda f: Harvard(f.parent, side=8)[0]),
    ):
        if (path / name).exists():
            read(path / name)
            if outside:
                raise _wrong(f"an array of {name} that lies in another file")


def ranges(path: Path) -> None:
    """Values are those of the unit image, but for the few extreme ones."""
    truth = _truth(path)
    bits = int(truth.bits) if truth.bits and truth.declared else None
    if (path / "image.tif").exists():
        raw = read_raster(path / "image.tif")
        unit, _ = to_unit(raw, path / "image.tif", bits)
        said = PairedImages(visible=path / "image.tif", infrared=path / "image.tif", bits=bits)[0]["notes"]
        unit, expected = unit[None], truth.unit
        if any(DOUBT in note for note in said):
            return
    else:
        unit, expected = Harvard(path, side=SIDE, bits=bits)[0]["gt"], truth.unit
    wrong = np.abs(unit - expected) > CLOSE
    if wrong.sum() > 2:  # the extreme values themselves
        raise _wrong(f"{wrong.mean():.0%} of the values, by up to {np.abs(unit - expected).max():g}")


def axes(path: Path) -> None:
    """The cube with its bands first."""
    truth = _truth(path)
    cubes = Cubes(path / str(truth.name), str(truth.axes) or None)
    read = cubes.read(0, cubes.shape(0))
    if read.shape != truth.cube.shape or not np.array_equal(read, truth.cube):
        raise _wrong(f"bands {truth.cube.shape} as {read.shape}")


def thermal(path: Path) -> None:
    """Stretched, the scene; not stretched, it shows, or that it does not is said; never scored so by guess."""
    truth = _truth(path)
    stretched = PairedImages(path, infrared_range="stretch")[0]["infrared"][0]
    low, high = np.percentile(truth.infrared, (0.5, 99.5))
    if np.abs(stretched - ((truth.infrared - low) / (high - low)).clip(0, 1)).max() > CLOSE:
        raise _wrong("a stretched image")
    for guess in (True, False):
        try:
            pair = PairedImages(path, guess=guess)[0]
        except DataError as error:
            if "--stretch-infrared" not in str(error):
                raise _wrong(f"no remedy in {error}") from None
            continue
        shown = float(np.ptp(pair["infrared"]))
        if shown < 0.2 and (not guess or not any(DOUBT in note for note in pair["notes"])):
            raise _wrong(f"an infrared image of contrast {shown:.3f}")


def layout(path: Path) -> None:
    """Each pair is of one visible and one infrared image of one number."""
    pairs = PairedImages(path)
    for pair in pairs:
        visible, infrared = (round(float(np.median(pair[role])) * 255) for role in ("visible", "infrared"))
        if visible % 10 or infrared != visible + 1:
            raise _wrong(f"{pair['name']}: image {visible} with {infrared}")
    if len(pairs) != PAIRS:
        raise _wrong(f"{len(pairs)} pairs of {PAIRS}")


def bomb(path: Path) -> None:
    """Refused in a line, in seconds, without its gigabytes."""
    from models import load_pretrained

    for name, readers in (
        ("bomb.h5", (PanScenes, Cubes, H5Patches)),
        ("bomb.mat", (PanScenes, Cubes)),
        ("bomb.png", (read_raster,)),
        ("bomb.pth", (load_pretrained,)),
    ):
        for read in readers if (path / name).exists() else ():
            try:
                read(path / name)
            except ValueError as error:  # DataError and CheckpointError
                refusal = error
            else:
                raise _wrong(f"{name} was read")
    raise refusal


MEANINGS = {"layout": layout, "bomb": bomb, "elsewhere": elsewhere, "ranges": ranges, "axes": axes, "thermal": thermal}
