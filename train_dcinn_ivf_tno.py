"""Train the DCINN for infrared-visible fusion, TNO model.

    python train_dcinn_ivf_tno.py                                     the embedded sample: shows that it works
    python train_dcinn_ivf_tno.py --data ROADSCENE_DIR --output runs/ivf_tno
    python train_dcinn_ivf_tno.py --data ROADSCENE_DIR --output runs/ivf_tno --resume
    torchrun --nproc_per_node=2 train_dcinn_ivf_tno.py ...            several GPUs, the same batch

The default recipe is that of the released script; --recipe paper takes the paper's numbers, and the recipes tuned and
contrast are ours. OUTPUT/last.pth and best.pth are read by `test_dcinn_ivf_tno.py --weights` and
`models.load_pretrained`.
"""

from utils.training.arguments import TrainingArguments
from utils.training.infrared_visible import infrared_visible
from utils.training.parser import add_dcinn_options, add_pair_options, chosen, train_parser, training_script
from utils.training.recipe import CONTRAST, TUNED, Recipe
from utils.training.run import run

# Source: the authors' released training script; Wang et al., IJCV 132 (2024), section 5. The weights are those of
# 1 - SSIM(infrared), 1 - SSIM(visible), structure to infrared, structure to visible.
RECIPES = {
    "released": Recipe(lr=5e-5, epochs=20, batch=8, patch=152, ivf_weights=(1, 1, 1e-4, 0), base_rule="max"),
    "paper": Recipe(lr=5e-5, epochs=20, batch=32, patch=128, ivf_weights=(1, 1, 0, 1e-3), base_rule="max"),
    "tuned": TUNED,
    "contrast": CONTRAST,
}


@training_script
def main(argv: list[str] | None = None) -> dict[str, float]:
    """Run with these command line options (sys.argv by default); returns the last validation's metrics."""
    parser = train_parser(
        "ivf_tno",
        RECIPES,
        "Training of DCINN, infrared-visible fusion, TNO model.",
        "folder with one subfolder of visible and one of infrared images",
    )
    add_dcinn_options(parser)
    add_pair_options(parser)
    args = TrainingArguments(**vars(parser.parse_args(argv)))
    recipe = chosen(RECIPES[args.recipe], args)
    return run("ivf_tno", args, recipe, lambda: infrared_visible(args, recipe))


if __name__ == "__main__":
    main()
