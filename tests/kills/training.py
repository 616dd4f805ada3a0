"""A training script at a size of seconds, for a process of its own: python -m tests.kills.training SCRIPT OPTION ..."""

import functools
import sys
from unittest.mock import patch

import train_dcinn_ivf_tno
import train_dcinn_ps
from data.samples import sample_pairs, sample_pan_scene
from models import dcinn_ivf, dcinn_ps
from utils.training import validation_split

SIDE = 64  # pixels of each of the sample's pairs


def main(script: str, options: list[str]) -> None:
    """Train a small network on a part of the embedded sample."""
    pairs = [{k: v[..., :SIDE, :SIDE] if hasattr(v, "ndim") else v for k, v in p.items()} for p in sample_pairs()]
    scene = sample_pan_scene()
    scene = {**scene, "ms": scene["ms"][:, :32, :32], "pan": scene["pan"][:, :128, :128]}
    with (
        patch("data.patches.training_images.sample_pairs", lambda: pairs),
        patch("utils.training.pansharpening.sample_pan_scene", lambda: scene),
        patch("utils.training.infrared_visible.dcinn_ivf", functools.partial(dcinn_ivf, low_blocks=1)),
        patch("utils.training.pansharpening.dcinn_ps", functools.partial(dcinn_ps, low_blocks=1)),
        patch.object(validation_split, "MOST_SEEN", 2),
    ):
        {"ps": train_dcinn_ps, "ivf": train_dcinn_ivf_tno}[script].main(options)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
