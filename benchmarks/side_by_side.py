"""Draws infrared-visible pairs beside what networks and other methods' pictures make of them, to be looked at.

    python benchmarks/side_by_side.py --data PAIRS_DIR --weights ivf_contrast ivf_tuned \\
        --fused-beside CDDFuse=FOLDER --images 5 --output sheet.jpg

A row of the sheet is a pair: visible, infrared, the fused image of every network, and the picture of the same name in
every folder of --fused-beside. The pairs are evenly spaced in natural order.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from benchmarks.publish.sheets import Panel, below, row, save
from data.infrared_visible import PairedImages
from models import load_pretrained
from utils.commandline.parser import Parser, positive
from utils.evaluation.fused_pictures import add_pictures_option, pictures_beside
from utils.evaluation.parser import evaluation_script

PANEL_WIDTH = 360  # pixels; the sheet is that times its columns
MOST_BYTES = 2**23


def main(argv: list[str] | None = None) -> list[str]:
    """Fuse and draw; returns the names of the pairs, top row first."""
    parser = Parser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--data", type=Path, required=True, help="folder of infrared-visible pairs")
    parser.add_argument("--weights", nargs="+", default=["ivf_contrast", "ivf_tuned"], help="files or names")
    add_pictures_option(parser)
    parser.add_argument("--images", type=positive, default=5, help="number of pairs to draw")
    parser.add_argument("--output", type=Path, default=Path("results/side_by_side.jpg"), help="the picture's file")
    args = parser.parse_args(argv)
    pairs = PairedImages(args.data)
    chosen = [pairs[int(i)] for i in np.unique(np.linspace(0, len(pairs) - 1, args.images).round())]
    names = [pair["name"] for pair in chosen]
    others = pictures_beside(args.fused_beside, names)
    models = {Path(file).stem: load_pretrained(file, task="ivf").eval() for file in args.weights}
    rows = []
    for name, pair in zip(names, chosen, strict=True):
        sources = {kind: pair[kind][0] for kind in ("visible", "infrared")}
        panels = [Panel(f"{name}: visible", sources["visible"]), Panel("infrared", sources["infrared"])]
        visible, infrared = (torch.from_numpy(image)[None, None] for image in sources.values())
        with torch.inference_mode():
            panels += [Panel(label, model(visible, infrared)[0, 0].numpy()) for label, model in models.items()]
        panels += [Panel(other.label, other.read(name, sources["visible"].shape)[0]) for other in others]
        rows.append(row(panels, PANEL_WIDTH * len(panels)))
    save(args.output, below(rows), MOST_BYTES)
    print(args.output)
    return names


if __name__ == "__main__":
    evaluation_script(main)()
