"""Makes the pictures of README and docs from the embedded sample: python benchmarks/publish/pictures.py

docs/pictures/strip.jpg          the three tasks, for README
docs/pictures/weights/NAME.jpg   sources and fused image, for each of DCINN's weights in pretrained/
docs/pictures/inside_*.jpg       the inner images of the network for one pair, for docs/how_it_works.md
docs/pictures/methods.jpg        one crop, fused by every method
docs/pictures/made_from.json     SHA-256 of the weights that the pictures were made with

Run it again after weights have changed: tests/documents/test_pictures.py fails until then.
"""

import hashlib
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch
from PIL import Image

from benchmarks.publish.card_texts import BEST_ON_SAMPLE, CARDS
from benchmarks.publish.sample_fusions import (
    cube_panels,
    file_of,
    fused_pair,
    network,
    pair_panels,
    pairs,
    panels,
    scene_panels,
    task_of,
    tensor,
)
from benchmarks.publish.sheets import Panel, below, beside, headed, row, save
from data.files.atomic import write_whole
from models.weights.files import PRETRAINED
from utils.page.pictures import mosaic, signed

PICTURES = PRETRAINED.parent / "docs/pictures"
MADE_FROM = PICTURES / "made_from.json"
STRIP_SCENE, INSIDE_SCENE, METHODS_SCENE = "chelsea", "astronaut", "coffee"
METHODS_CROP = (slice(60, 260), slice(40, 300))
WIDTH = 960


def own_weights() -> list[str]:
    """Return the names of DCINN's weights in pretrained/, in the order of `CARDS`."""
    return [name for name in CARDS if "/" not in name and file_of(name).is_file()]


def first_of(task: str) -> str:
    """Return the name of the first weights of a task, in the order of `CARDS`."""
    return next(name for name in own_weights() if task_of(name) == task)


def column(title: str, shown: list[Panel]) -> Image.Image:
    """Return a task's column of the strip: two sources side by side, and the fused image below them.

    Args:
        title: heading of the column.
        shown: panels of the two sources and of the fused image.
    """
    width = 400
    square = [panel._replace(image=_square(panel.image)) for panel in shown]
    return headed(title, below([row(square[:2], width), row([square[2]], width)]))


def _square(image: np.ndarray) -> np.ndarray:
    """Return the largest square of an image; of a high image the one that leaves a quarter of the rest above it."""
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 4, (image.shape[1] - side) // 2
    return image[top : top + side, left : left + side]


def strip() -> Image.Image:
    """Return the strip: the three tasks side by side."""
    tasks = {
        "Infrared-visible": pair_panels(BEST_ON_SAMPLE, STRIP_SCENE),
        "Pansharpening": scene_panels(first_of("ps")),
        "Hyperspectral": cube_panels(first_of("hmf")),
    }
    return beside([column(title, shown) for title, shown in tasks.items()])


def inside() -> dict[str, Image.Image]:
    """Return the sheets of one pair's inner images, file name -> sheet.

    They show the decomposition, the conditions, the residual and the fused image, and the inverse direction.
    """
    model, pair = network(BEST_ON_SAMPLE), pairs()[INSIDE_SCENE]
    visible, infrared = tensor(pair["visible"]), tensor(pair["infrared"])
    with torch.inference_mode():
        base, detail = model.decompose(visible, infrared)
        conditions = model.anet(visible, infrared)
        residual = model.flow(detail, conditions)
        fused = base + residual
        again = model.invert(fused, visible, infrared)
    scale = signed(detail[0, 0].numpy())[1]

    def gray(image: torch.Tensor) -> np.ndarray:
        return image[0, 0].numpy()

    def around_zero(image: torch.Tensor) -> np.ndarray:
        return (0.5 + gray(image) / (2 * scale)).clip(0, 1)

    off = (again - detail).abs()
    most = float(off.max())
    shown = {
        "inside_decomposition": [
            Panel("visible", gray(visible)),
            Panel("infrared", gray(infrared)),
            Panel("base", gray(base)),
            Panel("detail", around_zero(detail)),
        ],
        "inside_conditions": [
            Panel(f"{c.shape[1]} channels of {c.shape[2]}x{c.shape[3]} (eight shown)", mosaic(c[0].numpy()))
            for c in conditions
        ],
        "inside_residual": [
            Panel("detail, in", around_zero(detail)),
            Panel("residual, out", around_zero(residual)),
            Panel("base + residual: fused", gray(fused)),
        ],
        "inside_inverse": [
            Panel("fused - base", around_zero(fused - base)),
            Panel("detail, recovered", around_zero(again)),
            Panel(f"difference (white: {most:.0e})", gray(off) / most),
        ],
    }
    return {name: row(those, WIDTH) for name, those in shown.items()}


def methods() -> Image.Image:
    """Return one crop of the sample, fused by every method, in two rows."""
    titles = {"peers/auif": "AUIF-Net", "peers/cddfuse": "CDDFuse", "peers/defusion": "DeFusion++"}
    shown = pair_panels(BEST_ON_SAMPLE, METHODS_SCENE)
    shown += [
        Panel(title, fused_pair(name, METHODS_SCENE)) for name, title in titles.items() if file_of(name).is_file()
    ]
    crops = [panel._replace(image=panel.image[METHODS_CROP]) for panel in shown]
    return below([row(crops[:3], WIDTH), row(crops[3:], WIDTH)])


def made_from() -> dict[str, str]:
    """Return name -> SHA-256 of the file, for all weights in pretrained/."""
    names = [name for name in CARDS if file_of(name).is_file()]
    return {name: hashlib.sha256(file_of(name).read_bytes()).hexdigest() for name in names}


def main() -> None:
    """Write all pictures, and made_from.json."""
    save(PICTURES / "strip.jpg", strip())
    for name in own_weights():
        save(PICTURES / f"weights/{name}.jpg", row(panels(name, STRIP_SCENE), WIDTH))
    for name, sheet in inside().items():
        save(PICTURES / f"{name}.jpg", sheet)
    save(PICTURES / "methods.jpg", methods())
    write_whole(MADE_FROM, json.dumps(made_from(), indent=1) + "\n")


if __name__ == "__main__":
    main()
