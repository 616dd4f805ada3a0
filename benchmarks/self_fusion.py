"""Measures how well a network preserves an image fused with itself, and what its fused pairs are closest to.

    python benchmarks/self_fusion.py --data PAIRS_DIR --weights peers/defusion [FILE ...] [--every 8]

A method that keeps the common content of two images should return an image fused with itself. The columns are PSNR in
dB, peak 1: of model(x, x) against x (mean, least and largest over the images, two per pair), and of model(visible,
infrared) against the minimum, the mean and the maximum of the two per pixel. The last column is how much brighter the
fused images are than the mean of both, of 255. No pair is left out, so the network may have been trained on some.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from data.infrared_visible import PairedImages
from metrics import psnr
from models import load_pretrained
from utils.commandline.device import pick_device
from utils.commandline.parser import Parser, positive
from utils.evaluation.parser import evaluation_script

COLUMNS = ("weights", "images", "itself", "least", "largest", "minimum", "mean", "maximum", "brighter")


def main(argv: list[str] | None = None) -> list[dict]:
    """Measure and print; returns the rows."""
    parser = Parser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--data", type=Path, required=True, help="folder of infrared-visible pairs")
    parser.add_argument("--weights", nargs="+", default=["peers/defusion"], help="files or names in pretrained/")
    parser.add_argument("--every", type=positive, default=8, help="step from one measured pair to the next")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="device to run the networks on")
    args = parser.parse_args(argv)
    pairs, device, rows = PairedImages(args.data), pick_device(args.device), []
    print(f"| {' | '.join(COLUMNS)} |\n|---|{'---:|' * (len(COLUMNS) - 1)}")
    for weights in args.weights:
        model = load_pretrained(weights, method=None).eval().to(device)
        again, nearest, brighter = [], [], []
        for index in range(0, len(pairs), args.every):
            pair = pairs[index]
            sources = [pair[kind][0] for kind in ("visible", "infrared")]
            x, y = (torch.from_numpy(source)[None, None].to(device) for source in sources)
            with torch.inference_mode():
                fused, *copies = (model(a, b)[0, 0].cpu().numpy() for a, b in ((x, y), (x, x), (y, y)))
            again += [psnr(copy, source) for copy, source in zip(copies, sources, strict=True)]
            mean = np.mean(sources, axis=0)
            nearest.append([psnr(fused, of) for of in (np.minimum(*sources), mean, np.maximum(*sources))])
            brighter.append(255 * float(fused.mean() - mean.mean()))
        values = (float(np.mean(again)), min(again), max(again), *map(float, np.mean(nearest, axis=0)))
        rows.append(dict(zip(COLUMNS, (weights, len(again), *values, float(np.mean(brighter))), strict=True)))
        cells = " | ".join(f"{value:.1f}" for value in list(rows[-1].values())[2:])
        print(f"| {weights} | {len(again)} | {cells} |", flush=True)
    return rows


if __name__ == "__main__":
    evaluation_script(main)()
