"""The project's readers, each over everything that a file holds."""

import sys
from pathlib import Path
from tempfile import gettempdir

import numpy as np

from data import CAVE, DataError, Harvard, PairedImages
from data.files.band_images import Cubes
from data.files.georeference import georeference
from data.files.geotiff import nodata_value
from data.files.raster_windows import Windows
from data.pan_scenes import PanScenes
from data.patches.h5 import H5Patches
from utils.commandline.errors import UsageError
from utils.training.logs import log_rows

from .meaning_readers import MEANINGS

MOST_ITEMS = 50
CORNER = 64


def load_networks() -> None:
    """Import what needs PyTorch."""
    import torch

    from . import weight_files  # noqa: F401

    torch.set_num_threads(1)


def clear() -> tuple[type[Exception], ...]:
    """The project's errors of bad input."""
    models = sys.modules.get("models")
    return (DataError, UsageError, *([models.CheckpointError] if models else []))


def _few(length: int) -> list[int]:
    return [*range(min(length, MOST_ITEMS)), *([length - 1] if length > MOST_ITEMS else [])]


def _pan(path: Path) -> None:
    scenes = PanScenes(path)
    for index in _few(len(scenes)):
        scenes.full(index)
        if scenes.cannot_reduce() is None:
            scenes.reduced(index)


def _patches(path: Path) -> None:
    found = H5Patches(path)
    for index in _few(len(found)):
        found.sample(index)


def _cubes(path: Path) -> None:
    found = Cubes(path)
    for index in _few(len(found)):
        found.read(index, found.shape(index))


def _windows(path: Path) -> None:
    found = Windows(path)
    _, height, width = found.shape
    found.read((0, min(CORNER, height)), (0, min(CORNER, width)))
    found.read((max(0, height - CORNER), height), (max(0, width - CORNER), width))


def _envi(path: Path) -> None:
    header = path / "scene.hdr"
    _windows(header)
    found = Windows(header)
    georeference(found.tags, header)
    if found.nodata is not None:
        nodata_value(found.nodata, header)


def _pair(path: Path) -> None:
    PairedImages(visible=path, infrared=path)[0]
    PairedImages(visible=path, infrared=path, bits=16)[0]


def _pairs(path: Path) -> None:
    for _ in PairedImages(path):
        pass


def _cave(path: Path) -> None:
    for _ in CAVE(path):
        pass


def _harvard(path: Path) -> None:
    for _ in Harvard(path, side=8):
        pass


def _response(path: Path) -> None:
    from utils.commandline.srf_option import read_srf

    read_srf(path)


def _weights(path: Path) -> None:
    from models.weights.checkpoint import load_extra, load_pretrained

    model = load_pretrained(path, base_rule="max" if path.stem.startswith("bare") else None)
    if not all(bool(np.isfinite(p.detach().numpy()).all()) for p in model.parameters()):
        raise AssertionError("weights that are not finite were loaded")
    load_extra(path)


def _peer(path: Path) -> None:
    from models.weights.checkpoint import load_extra, load_pretrained

    load_pretrained(path, method=None)
    load_extra(path)


def _training(path: Path) -> None:
    from models import CheckpointError

    from .weight_files import go_on

    try:
        go_on(path, Path(gettempdir()))
    except FloatingPointError as error:  # of the engine, whose lines name the last good checkpoint
        raise CheckpointError(f"{path}: {error}") from None
    finally:
        (Path(gettempdir()) / "last.pth").unlink(missing_ok=True)
        (Path(gettempdir()) / "best.pth").unlink(missing_ok=True)


def _log(path: Path) -> None:
    for row in log_rows(path):
        int(row["epoch"])


READERS = {
    "pan": _pan,
    "patches": _patches,
    "cubes": _cubes,
    "windows": _windows,
    "envi": _envi,
    "pair": _pair,
    "pairs": _pairs,
    "cave": _cave,
    "harvard": _harvard,
    "response": _response,
    "weights": _weights,
    "peer": _peer,
    "training": _training,
    "log": _log,
    **MEANINGS,
}
