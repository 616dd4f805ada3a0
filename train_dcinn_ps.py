"""Train the DCINN for pansharpening.

    python train_dcinn_ps.py                                     the embedded sample: shows that it works
    python train_dcinn_ps.py --data train_wv3.h5 --output runs/ps
    python train_dcinn_ps.py --data train_wv3.h5 --output runs/ps --resume
    torchrun --nproc_per_node=2 train_dcinn_ps.py ...            several GPUs, the same batch

The default recipe is that of the released script; --recipe paper takes the paper's numbers. OUTPUT/last.pth and
best.pth are read by `test_dcinn_ps.py --weights` and `models.load_pretrained`.
"""

from pathlib import Path

from utils.commandline.parser import SENSOR_HELP, bit_depth, positive, sensor, span
from utils.training.arguments import TrainingArguments
from utils.training.pansharpening import pansharpening
from utils.training.parser import add_backward_options, add_dcinn_options, chosen, train_parser, training_script
from utils.training.recipe import Recipe
from utils.training.run import run

# Source: the authors' released training script; Wang et al., IJCV 132 (2024), section 5.
RECIPES = {
    "released": Recipe(lr=8e-4, epochs=350, batch=32, patch=64, milestones=(50, 100, 250, 300), backward_weight=1.0),
    "paper": Recipe(lr=1e-3, epochs=350, batch=32, patch=64, milestones=(50, 100, 250, 300), backward_weight=1.0),
}


@training_script
def main(argv: list[str] | None = None) -> dict[str, float]:
    """Run with these command line options (sys.argv by default); returns the last validation's metrics."""
    parser = train_parser(
        "ps",
        RECIPES,
        "Training of DCINN, pansharpening.",
        "PanCollection's training .h5, or a .mat scene, reduced by Wald's protocol",
    )
    add_dcinn_options(parser)
    add_backward_options(parser)
    parser.add_argument("--val", type=Path, help="a validation .h5 (default: held-back patches, else training patches)")
    parser.add_argument("--sensor", type=sensor, help=f"{SENSOR_HELP} (default: the file's own)")
    parser.add_argument("--bits", type=bit_depth, help="bit depth of the samples (default: the file's own, else 11)")
    parser.add_argument("--rows", type=span, help="FIRST:END, rows of the ms to train on (default: all)")
    parser.add_argument("--stride", type=positive, help="step between patches of a scene (default: half a patch)")
    args = TrainingArguments(**vars(parser.parse_args(argv)))
    recipe = chosen(RECIPES[args.recipe], args)
    return run("ps", args, recipe, lambda: pansharpening(args, recipe))


if __name__ == "__main__":
    main()
