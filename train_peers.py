"""Train a network of another method, by its authors' recipe: AUIF-Net, CDDFuse or DeFusion++.

    python train_peers.py auif                                 the embedded sample: shows that it works
    python train_peers.py cddfuse --data ROADSCENE_DIR --output runs/cddfuse
    python train_peers.py defusion --data PHOTOGRAPHS_DIR --output runs/defusion --resume
    python train_peers.py defusion --data PHOTOGRAPHS_DIR --pairs PAIRS_DIR --weights runs/defusion/best.pth \
        --teachers MAE_INFRARED.pth mae_pretrain_vit_base.pth --output runs/defusion2      the second stage
    torchrun --nproc_per_node=2 train_peers.py auif ...        several GPUs share the batch: AUIF-Net's normalisation
                                                               and CDDFuse's correlations are then of each one's part

The 50 RoadScene pairs that CDDFuse tests on are left out. OUTPUT/last.pth and best.pth are read by
`test_dcinn_ivf_tno.py --methods dcinn,METHOD --peer-weights METHOD=FILE` and `models.load_pretrained`.
"""

import argparse
import sys
from pathlib import Path

from models.peers import TITLES
from utils.commandline.errors import UsageError
from utils.commandline.options import Parser
from utils.training.options import chosen, fraction, train_parser, training_script
from utils.training.peers.tasks import TASKS
from utils.training.run import run

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
    parser = train_parser(method, f"Training of {TITLES[method]}.", DATA[method])
    parser.add_argument("method", choices=tuple(TASKS), help="whose network and recipe")
    if method == "cddfuse":
        parser.add_argument("--first-stage", type=int, help="epochs of the first stage (default: the recipe's, 40)")
    if method == "defusion":
        parser.add_argument(
            "--teachers",
            nargs=2,
            metavar=("INFRARED", "VISIBLE"),
            help="the second stage, by two MAE ViT-B files",
        )
        parser.add_argument("--pairs", type=Path, help="the second stage's pairs (default: those of --data)")
        parser.add_argument(
            "--whole",
            type=fraction,
            default=0.0,
            help="share of samples, validation's too, whose views hide nothing",
        )
        parser.add_argument(
            "--soft",
            type=fraction,
            default=0.0,
            help="share of samples, validation's too, whose views hide by blur, fading and brightness, not noise",
        )
        parser.add_argument(
            "--cosines", action="store_true", help="start with cosine transforms of patches, not with --weights (ours)"
        )
    parser.add_argument(
        "--keep-test-pairs", action="store_true", help="train on the 50 RoadScene pairs that CDDFuse tests on, too"
    )
    args: argparse.Namespace = parser.parse_args(options)
    if getattr(args, "pairs", None) and not args.teachers:
        raise UsageError("--pairs: found without --teachers, expected with them")
    if getattr(args, "cosines", False) and args.weights:
        raise UsageError("--cosines: found beside --weights, which are a start, expected one of them")
    if getattr(args, "whole", 0) + getattr(args, "soft", 0) > 1:
        raise UsageError(f"--whole and --soft: found {args.whole} and {args.soft}, expected 1 together at most")
    name = "defusion_latent" if getattr(args, "teachers", None) else method
    numbers = chosen(args, name)
    return run(name, args, numbers, lambda: TASKS[method](args, numbers))


if __name__ == "__main__":
    main()
