"""Fuses the embedded sample, for the pictures of README and docs.

The terms of the data sets forbid to publish their images here, so the pictures show only this sample, which is
simulated from photographs.
"""

import re
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.publish.sheets import Panel
from data.files.sample_type import eight_bit
from data.hyperspectral import fusion_inputs
from data.pan_scenes import PanScenes
from data.samples import sample_hyperspectral, sample_pairs
from data.simulate import spectral_response
from models import load_pretrained
from models.weights.files import PRETRAINED
from utils.evaluation.infrared_visible import in_colour
from utils.output.images import stretch

PAIRS = ("astronaut", "chelsea", "coffee", "rocket")
CROP = (slice(64, 448), slice(64, 448))  # part of the satellite scene that is shown, rows and columns of the pan
FOUR_BANDS = [1, 2, 4, 6]  # blue, green, red, near infrared of WorldView's eight


@cache
def network(name: str) -> nn.Module:
    """Return the network pretrained/NAME.pth."""
    return load_pretrained(name, method=None)


def file_of(name: str) -> Path:
    """Return the path of pretrained/NAME.pth."""
    return PRETRAINED / f"{name}.pth"


def task_of(name: str) -> str:
    """Return the task of weights, "ps", "hmf" or "ivf", from their configuration; other methods count as "ivf"."""
    return getattr(network(name).config, "task", "ivf") if "/" not in name else "ivf"


def tensor(image: np.ndarray) -> torch.Tensor:
    """Return an image (C, H, W) as a tensor (1, C, H, W), float32."""
    return torch.from_numpy(np.ascontiguousarray(image, np.float32))[None]


def fuse(name: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the fused image (C, H, W), float64, of a base image and a guide in [0, 1].

    Args:
        name: name of the weights.
        a: base image (C, H, W).
        b: guide (c, H, W).
    """
    with torch.inference_mode():
        return network(name)(tensor(a), tensor(b))[0].double().numpy()


@cache
def pairs() -> dict[str, dict]:
    """Return the infrared-visible pairs of the sample, name -> pair."""
    return {pair["name"]: pair for pair in sample_pairs()}


@cache
def fused_pair(name: str, scene: str) -> np.ndarray:
    """Return a fused pair with the visible image's colour, (H, W, 3) in [0, 1], rounded as the test script writes it.

    Args:
        name: name of the weights in pretrained/.
        scene: name of the pair, a key of `pairs`.
    """
    pair = pairs()[scene]
    return colours(in_colour(fuse(name, pair["visible"], pair["infrared"])[0], pair, colour=True))


def colours(image: np.ndarray) -> np.ndarray:
    """Return an image (H, W), or (3, H, W) as (H, W, 3), clipped to [0, 1] and rounded to multiples of 1/255."""
    return eight_bit(image if image.ndim == 2 else np.moveaxis(image, 0, -1))


def pair_panels(name: str, scene: str) -> list[Panel]:
    """Return panels of a pair: visible, infrared and fused image."""
    pair = pairs()[scene]
    sources = [Panel("visible", colours(pair["colour"])), Panel("infrared", colours(pair["infrared"][0]))]
    return [*sources, Panel(f"fused, {name}", fused_pair(name, scene))]


def scene_panels(name: str) -> list[Panel]:
    """Return panels of the satellite scene at full resolution: MS, pan and fused image.

    A network of four bands gets four of the scene's eight.
    """
    scene = PanScenes(None).full(0)
    bands = slice(None) if network(name).config.bands == len(scene["ms"]) else FOUR_BANDS
    lms, ms = scene["lms"][bands], scene["ms"][bands]
    fused = fuse(name, lms, scene["pan"])
    rows, columns = CROP
    small = ms[:, rows.start // 4 : rows.stop // 4, columns.start // 4 : columns.stop // 4]
    pan = scene["pan"][0][CROP]
    low, high = np.percentile(pan, (1, 99))
    return [
        Panel(f"MS, {len(ms)} bands", stretch(small, lms)),
        Panel("pan", ((pan - low) / (high - low)).clip(0, 1)),
        Panel(f"fused, {name}", stretch(fused[:, rows, columns], lms)),
    ]


def cube_panels(name: str) -> list[Panel]:
    """Return panels of a hyperspectral scene: low-resolution cube, camera image and fused cube.

    Cubes are shown by single bands as red, green and blue. The ratio is the one in the name ("x8"), else 4.
    """
    found = re.search(r"x(\d+)", name)
    scene = sample_hyperspectral()[1]
    inputs = fusion_inputs(scene["gt"], spectral_response(), int(found[1]) if found else 4)
    fused = fuse(name, inputs["hsi_up"], inputs["rgb"])
    camera = np.moveaxis(inputs["rgb"][::-1], 0, -1)
    return [
        Panel(f"cube, {len(scene['gt'])} bands", stretch(inputs["lr"], scene["gt"])),
        Panel("camera image", (camera / np.percentile(camera, 99)).clip(0, 1)),
        Panel(f"fused, {name}", stretch(fused, scene["gt"])),
    ]


def panels(name: str, scene: str = "rocket") -> list[Panel]:
    """Return panels of the two sources and the fused image, for weights of any task; `scene` is the pair for ivf."""
    task = task_of(name)
    return scene_panels(name) if task == "ps" else cube_panels(name) if task == "hmf" else pair_panels(name, scene)
