"""Train the DCINN for hyperspectral-multispectral fusion.

    python train_dcinn_hmf.py                                     the embedded sample: shows that it works
    python train_dcinn_hmf.py --data CAVE_DIR --output runs/hmf
    python train_dcinn_hmf.py --data CAVE_DIR --output runs/hmf --resume
    torchrun --nproc_per_node=2 train_dcinn_hmf.py ...            several GPUs, the same batch

The default recipe is that of the released script; --recipe paper takes the paper's numbers. OUTPUT/last.pth and
best.pth are read by `test_dcinn_hmf.py --weights` and `models.load_pretrained`.
"""

from dataclasses import replace
from pathlib import Path

from utils.commandline.parser import bit_depth, positive
from utils.training.arguments import TrainingArguments
from utils.training.hyperspectral import RATIO, hyperspectral
from utils.training.parser import add_backward_options, add_dcinn_options, chosen, train_parser, training_script
from utils.training.recipe import Recipe
from utils.training.run import run

# Source: the authors' released training script; Wang et al., IJCV 132 (2024), section 5.
RECIPES = {
    "released": Recipe(lr=4e-4, epochs=400, batch=16, patch=64, milestones=(50, 100, 200, 300)),
    "paper": Recipe(lr=1e-3, epochs=350, batch=32, patch=40, milestones=(50, 100, 250, 300), backward_weight=1.0),
}
PAPER_LOW_PATCH = 10  # low-resolution pixels: the paper prints patches of 40 for x4 and of 80 for x8


@training_script
def main(argv: list[str] | None = None) -> dict[str, float]:
    """Run with these command line options (sys.argv by default); returns the last validation's metrics."""
    parser = train_parser(
        "hmf",
        RECIPES,
        "Training of DCINN, hyperspectral-multispectral fusion.",
        "folder of CAVE's or Harvard's scenes, or a prepared .h5",
    )
    add_dcinn_options(parser)
    add_backward_options(parser)
    parser.add_argument(
        "--ratio", type=int, choices=(2, 4, 8, 16), help="resolution ratio (default: 4, or that of the .h5)"
    )
    parser.add_argument("--srf", type=Path, help="spectral response, .csv, .npy, .mat (default: Nikon D700)")
    parser.add_argument("--scenes", nargs="+", help="scenes by name (default: all, of CAVE all but the 11 test scenes)")
    parser.add_argument("--stride", type=positive, help="step between patches (default: half a patch)")
    parser.add_argument(
        "--bits", type=bit_depth, help="bit depth of CAVE's and Harvard's digital numbers (default: 16)"
    )
    args = TrainingArguments(**vars(parser.parse_args(argv)))
    recipe = RECIPES[args.recipe]
    if args.recipe == "paper":
        recipe = replace(recipe, patch=PAPER_LOW_PATCH * (args.ratio or RATIO))
    recipe = chosen(recipe, args)
    return run("hmf", args, recipe, lambda: hyperspectral(args, recipe))


if __name__ == "__main__":
    main()
