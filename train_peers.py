"""Train a network of another method, by its authors' recipe: AUIF-Net, CDDFuse or DeFusion++.

    python train_peers.py auif                                 the embedded sample: shows that it works
    python train_peers.py cddfuse --data ROADSCENE_DIR --output runs/cddfuse
    python train_peers.py defusion --data PHOTOGRAPHS_DIR --output runs/defusion --resume
    python train_peers.py defusion --data PHOTOGRAPHS_DIR --pairs PAIRS_DIR --weights runs/defusion/best.pth \
        --teachers MAE_INFRARED.pth mae_pretrain_vit_base.pth --output runs/defusion2      the second stage
    torchrun --nproc_per_node=2 train_peers.py auif ...        several GPUs share the batch; each computes AUIF-Net's
                                                               normalisation and CDDFuse's correlations over its part

The 50 RoadScene pairs that CDDFuse tests on are left out. OUTPUT/last.pth and best.pth are read by
`test_dcinn_ivf_tno.py --methods dcinn,METHOD --peer-weights METHOD=FILE` and `models.load_pretrained`.
"""

import math
import sys
from pathlib import Path

from models.peers import TITLES
from utils.commandline.errors import UsageError
from utils.commandline.parser import Parser
from utils.training.arguments import TrainingArguments
from utils.training.parser import add_image_options, chosen, fraction, train_parser, training_script
from utils.training.peers.tasks import TASKS
from utils.training.recipe import Recipe
from utils.training.run import run

# Source: the released training codes of these methods; "defusion_latent" is the second stage of DeFusion++.
RECIPES = {
    "auif": Recipe(1e-2, 80, 32, 128, (41,), clip=math.inf, gamma=0.1, short_last=True),
    "cddfuse": Recipe(1e-4, 120, 8, 128, (20, 40, 60, 80, 100), clip=0.01, first_stage=40, short_last=True),
    "defusion": Recipe(4e-4, 50, 16, 224, (20, 40, 45, 47), clip=20.0),
    "defusion_latent": Recipe(1e-4, 200, 16, 224, (80, 160, 180, 190), clip=20.0),
}
DATA = {
    "auif": "folder of pairs, or of photographs",
    "cddfuse": "folder with one subfolder of visible and one of infrared images",
    "defusion": "folder of photographs, or of pairs",
}


@training_script
def main(argv: list[str] | None = None) -> dict[str, float]:
    """Run with these command line options (sys.argv by default); returns the last validation's metrics."""
    options = sys.argv[1:] if argv is None else argv
    first = Parser(description="Training of another method.", allow_abbrev=False, add_help=False)
    first.add_argument("method", choices=tuple(TASKS))
    method = first.parse_args(options[:1]).method if options[:1] not in (["-h"], ["--help"]) else "auif"
    parser = train_parser(method, {"released": RECIPES[method]}, f"Training of {TITLES[method]}.", DATA[method])
    parser.add_argument("method", choices=tuple(TASKS), help="method whose network to train, by its recipe")
    if method == "cddfuse":
        parser.add_argument("--first-stage", type=int, help="epochs of the first stage (default: the recipe's, 40)")
    if method == "defusion":
        parser.add_argument(
            "--teachers",
            nargs=2,
            metavar=("INFRARED", "VISIBLE"),
            help="train the second stage, with these MAE ViT-B files as teachers",
        )
        parser.add_argument("--pairs", type=Path, help="folder of the second stage's pairs (default: --data)")
        parser.add_argument(
            "--whole",
            type=fraction,
            default=0.0,
            help="share of samples, also in validation, whose views hide nothing",
        )
        parser.add_argument(
            "--soft",
            type=fraction,
            default=0.0,
            help="share of samples, also in validation, whose views hide by blur, fading and brightness, not noise",
        )
        parser.add_argument(
            "--cosines",
            action="store_true",
            help="start from cosine transforms of patches instead of --weights (ours)",
        )
    add_image_options(parser)
    args = TrainingArguments(**vars(parser.parse_args(options)))
    if args.pairs and not args.teachers:
        raise UsageError("--pairs: found without --teachers, expected with them")
    if args.cosines and args.weights:
        raise UsageError("--cosines: found beside --weights, which are a start, expected one of them")
    if args.whole + args.soft > 1:
        raise UsageError(f"--whole and --soft: found {args.whole} and {args.soft}, expected 1 together at most")
    name = "defusion_latent" if args.teachers else method
    recipe = chosen(RECIPES[name], args)
    return run(name, args, recipe, lambda: TASKS[method](args, recipe))


if __name__ == "__main__":
    main()
