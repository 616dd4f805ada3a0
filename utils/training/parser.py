"""The options of the training scripts, and how they change a recipe."""

import argparse
import functools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from data.patches.grid import LEAST_PATCH
from models import CheckpointError
from models.config import ABLATIONS
from models.decomposition import BASE_RULES, DETAIL_RULES
from utils.commandline.errors import UsageError, single_line_errors
from utils.commandline.pair_options import add_infrared_range
from utils.commandline.parser import Parser, positive, seed

from .arguments import TrainingArguments
from .objectives import BACKWARD_TARGETS
from .recipe import Recipe
from .settings import PRECISIONS

MOST_WORKERS = 128
COMPILE_MODES = ("default", "reduce-overhead", "max-autotune")
WHOSE = {"released": "the released code's", "paper": "the paper's"}  # recipe -> origin of its numbers; others are ours
READ_ON_CUDA = 20  # default of --read-every on CUDA
LEAST_CROP = 16  # least side of a crop in pixels for ivf, because of the network's three scales
ADVICE = "train with --at-once 1, --recompute, a smaller --patch, or --amp bf16"
training_script = functools.partial(single_line_errors, more=(CheckpointError,), advice=ADVICE)


def train_parser(task: str, recipes: Mapping[str, Recipe], description: str, data_help: str) -> Parser:
    """Return a parser with the options of every training script; the recipe supplies what is left out.

    Args:
        task: name of the default output folder, runs/TASK.
        recipes: the recipes by name; "released", the default, is one of them.
        description: the script's description in its help.
        data_help: the help of --data.
    """
    parser = Parser(description=description, allow_abbrev=False)
    add = parser.add_argument
    add("--data", type=Path, help=f"{data_help} (default: the embedded sample)")
    add("--output", type=Path, default=Path("runs") / task, help="folder of checkpoints, logs and pictures")
    add("--resume", nargs="?", const=True, type=Path, help="continue from OUTPUT/last.pth, or from the file given")
    add("--weights", help="start from these weights instead of random ones")
    whose = ", ".join(dict.fromkeys(WHOSE.get(name, "ours") for name in recipes))
    add("--recipe", choices=tuple(recipes), default="released", help=f"numbers of the training: {whose}")
    released = recipes["released"]
    for name, kind, value, what in (
        ("lr", _positive_float, released.lr, "learning rate at the start"),
        ("epochs", positive, released.epochs, "passes over the data"),
        ("batch", positive, released.batch, "samples per step, of all processes together"),
        ("patch", positive, released.patch, "side of a training patch"),
    ):
        add(f"--{name}", type=kind, help=f"{what} (default: the recipe's, {value:g} as released)")
    falling = "halved" if released.gamma == 0.5 else f"multiplied by {released.gamma:g}"
    add("--milestones", type=int, nargs="*", help=f"epochs after which the rate is {falling} (default: the recipe's)")
    add(
        "--clip",
        type=_positive_float,
        help=f"largest L2 norm of the gradient (default: the recipe's, {released.clip:g})",
    )
    add(
        "--hold-back",
        type=int,
        default=0,
        help="number of images (ps and prepared files: patches) kept out of training for validation",
    )
    add("--eval-every", type=positive, default=1, help="epochs between validations")
    add("--save-every", type=positive, default=500, help="steps between checkpoints, beside that of every epoch")
    add("--steps", type=positive, help="number of steps after which to end (default: after the epochs)")
    add("--ema", type=fraction, default=0.0, help="decay of a moving average of the weights; 0: no average")
    add("--skip-bad", action="store_true", help="leave out samples that cannot be read, and count them")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="device to train on")
    add("--amp", choices=tuple(PRECISIONS), default="off", help="mixed precision")
    add("--tf32", action="store_true", help="use TF32 for convolutions and matrix products on CUDA")
    add("--compile", nargs="?", const="default", choices=COMPILE_MODES, help="use torch.compile, in this mode if given")
    add(
        "--graph", action="store_true", help="run steps as one CUDA graph (DCINN on one GPU; else a note, and no graph)"
    )
    add("--channels-last", action="store_true", help="store weights and batches channels-last, for tensor cores")
    add("--read-every", type=positive, help=f"steps between readings of the losses (default: 1, CUDA: {READ_ON_CUDA})")
    add("--on-device", action="store_true", help="keep patches in the device's memory if they fit (ps, hmf)")
    add("--seed", type=seed, default=0, help="random seed for weights, sample order and crops")
    add("--deterministic", action="store_true", help="refuse operations that are not repeatable")
    add("--workers", type=int, default=0, help="processes that read the data")
    return parser


def add_dcinn_options(parser: Parser) -> None:
    """Add the options of the four DCINN trainings."""
    add = parser.add_argument
    add("--at-once", type=positive, help="less memory: samples of a step that are computed at once (default: all)")
    add("--recompute", action="store_true", help="less memory: blocks are run again in the backward pass, slower")
    add("--without", choices=ABLATIONS, help="an ablation: the network without that part (default: the whole one)")


def add_backward_options(parser: Parser) -> None:
    """Add the options of ps and hmf for the loss of the inverse direction."""
    add = parser.add_argument
    add(
        "--backward-weight",
        type=_not_negative,
        help="weight of the inverse direction's loss; 0: no such loss (default: the recipe's)",
    )
    add(
        "--backward-target",
        choices=BACKWARD_TARGETS,
        default="predicted",
        help="residual that the inverse direction inverts: the network's own, or the reference minus the base",
    )


def add_pair_options(parser: Parser) -> None:
    """Add the options of the infrared-visible DCINN."""
    add = parser.add_argument
    add("--base-rule", choices=BASE_RULES, help="how the low-passes are fused (default: the recipe's)")
    add("--detail-rule", choices=DETAIL_RULES, help="how the high-passes are fused (default: the recipe's)")
    add("--night", type=_share, help="fraction of the samples that are darkened as by night (default: the recipe's)")
    add_image_options(parser)


def add_image_options(parser: Parser) -> None:
    """Add the options for reading a folder of pairs, of DCINN and the other methods."""
    add_infrared_range(parser)
    parser.add_argument(
        "--keep-test-pairs",
        action="store_true",
        help="train on test images as well: CDDFuse's 50 RoadScene pairs, and copies of any known test image",
    )


def chosen(recipe: Recipe, args: TrainingArguments) -> Recipe:
    """Return the recipe with the values that the options change.

    Raises:
        UsageError: for options that do not fit the recipe.
    """
    names = ("lr", "epochs", "batch", "patch", "clip", "first_stage", "backward_weight", "night")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    if args.milestones is not None:
        given["milestones"] = tuple(args.milestones)
    if args.first_stage is not None and args.first_stage < 0:
        raise UsageError(f"--first-stage: found {args.first_stage}, expected 0 or more epochs")
    if args.without == "cinn":  # nothing to invert
        if args.backward_weight:
            raise UsageError(f"--backward-weight: found {args.backward_weight:g} without CINN, expected 0")
        given["backward_weight"] = 0.0
    return replace(recipe, **given)


def check(args: TrainingArguments, device: torch.device, on_grid: bool) -> None:
    """Refuse options that do not fit each other, and set PyTorch's switches.

    Args:
        args: the options.
        device: where the training runs.
        on_grid: whether patches lie on a grid over scenes (ps, hmf); else crops lie anywhere in images.

    Raises:
        UsageError: see above.
    """
    if args.amp == "fp16" and device.type == "cpu":
        raise UsageError("--amp fp16: found a CPU, expected CUDA; use --amp bf16 or off")
    least = LEAST_PATCH if on_grid else LEAST_CROP
    if args.patch is not None and args.patch < least:
        raise UsageError(f"--patch: found {args.patch}, expected at least {least}")
    if args.milestones is not None and min(args.milestones, default=1) < 1:
        raise UsageError(f"--milestones: found {min(args.milestones)}, expected epochs of 1 or more")
    if args.hold_back < 0:
        raise UsageError(f"--hold-back: found {args.hold_back}, expected 0 or more")
    if not 0 <= args.workers <= MOST_WORKERS:
        raise UsageError(f"--workers: found {args.workers}, expected 0 to {MOST_WORKERS}")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = args.tf32
    torch.use_deterministic_algorithms(args.deterministic)
    torch.set_flush_denormal(True)  # denormal numbers slow a CPU down, and small gradients contain many


def _positive_float(text: str) -> float:
    value = _number(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text[:40]}, expected a number over 0")
    return value


def _not_negative(text: str) -> float:
    value = _number(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text[:40]}, expected a number of 0 or more")
    return value


def _share(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"found {text[:40]}, expected a number from 0 to 1")
    return value


def fraction(text: str) -> float:
    """Return the number in `text`, from 0 to under 1, for argparse."""
    value = _number(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"found {text[:40]}, expected a number from 0 to under 1")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text[:40]}, expected a number") from None
