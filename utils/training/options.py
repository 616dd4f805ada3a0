"""The options of the training scripts, and what a recipe becomes by them."""

import argparse
import functools
from dataclasses import replace
from pathlib import Path

import torch

from data.patches.grid import LEAST_PATCH
from models import CheckpointError
from models.config import ABLATIONS
from utils.commandline.errors import UsageError, single_line_errors
from utils.commandline.options import Parser, positive, seed

from .objectives import BACKWARD_TARGETS
from .recipes import PEER_RECIPES, Recipe, recipe, recipes_of
from .settings import PRECISIONS

MOST_WORKERS = 128
LEAST_CROP = 16  # of ivf; the network's three scales
ADVICE = "train with --at-once 1, --recompute, a smaller --patch, or --amp bf16"
training_script = functools.partial(single_line_errors, more=(CheckpointError,), advice=ADVICE)


def train_parser(task: str, description: str, data_help: str) -> Parser:
    """The options every training script has. What is left out comes from the recipe."""
    parser = Parser(description=description, allow_abbrev=False)
    add = parser.add_argument
    add("--data", type=Path, help=f"{data_help} (default: the embedded sample)")
    add("--output", type=Path, default=Path("runs") / task, help="folder of checkpoints, logs and pictures")
    add("--resume", nargs="?", const=True, type=Path, help="go on from OUTPUT/last.pth, or from the file given")
    add("--weights", help="start from these weights instead of random ones")
    ours = ", or ours" if "tuned" in recipes_of(task) else ""
    add(
        "--recipe",
        choices=recipes_of(task),
        default="released",
        help=f"the released scripts' numbers, the paper's{ours}",
    )
    numbers = recipe(task)
    for name, kind, value, what in (
        ("lr", _positive_float, numbers.lr, "learning rate at the start"),
        ("epochs", positive, numbers.epochs, "passes over the data"),
        ("batch", positive, numbers.batch, "samples of a step, of all processes together"),
        ("patch", positive, numbers.patch, "side of a training patch"),
    ):
        add(f"--{name}", type=kind, help=f"{what} (default: the recipe's, {value:g} as released)")
    add("--milestones", type=int, nargs="*", help="epochs after which the rate is halved (default: the recipe's)")
    add(
        "--clip",
        type=_positive_float,
        help=f"largest L2 norm of the gradient (default: the recipe's, {numbers.clip:g})",
    )
    add("--hold-back", type=int, default=0, help="images (ps: patches) that are not trained on but validated on")
    add("--eval-every", type=positive, default=1, help="epochs between validations")
    add("--save-every", type=positive, default=500, help="steps between checkpoints, beside that of every epoch")
    add("--steps", type=positive, help="end after so many steps (default: after the epochs)")
    add("--ema", type=fraction, default=0.0, help="decay of a moving average of the weights; 0: none")
    add("--skip-bad", action="store_true", help="leave out samples that cannot be read, and count them")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where it runs")
    add("--amp", choices=tuple(PRECISIONS), default="off", help="mixed precision")
    add("--tf32", action="store_true", help="TF32 convolutions on CUDA, as PyTorch 1.12 had them")
    add("--compile", action="store_true", help="torch.compile")
    add("--seed", type=seed, default=0, help="of weights, order and crops")
    add("--deterministic", action="store_true", help="refuse operations that are not repeatable")
    add("--workers", type=int, default=0, help="processes that read the data")
    if task in PEER_RECIPES:
        parser.set_defaults(at_once=None, recompute=False, without=None)
        return parser
    add("--at-once", type=positive, help="less memory: samples of a step that are computed at once (default: all)")
    add("--recompute", action="store_true", help="less memory: blocks are run again in the backward pass, slower")
    add("--without", choices=ABLATIONS, help="an ablation: the network without that part (default: the whole one)")
    if not task.startswith("ivf"):
        add(
            "--backward-weight",
            type=_not_negative,
            help="of the inverse direction's loss; 0: none (default: the recipe's)",
        )
        add(
            "--backward-target",
            choices=BACKWARD_TARGETS,
            default="predicted",
            help="what the inverse direction is given",
        )
    return parser


def chosen(args: argparse.Namespace, task: str, ratio: int = 4) -> Recipe:
    """The recipe with what the options change."""
    numbers = recipe(task, args.recipe, ratio)
    given = {k: getattr(args, k) for k in ("lr", "epochs", "batch", "patch", "clip") if getattr(args, k) is not None}
    if args.milestones is not None:
        given["milestones"] = tuple(args.milestones)
    if getattr(args, "first_stage", None) is not None:
        if not args.first_stage >= 0:
            raise UsageError(f"--first-stage: found {args.first_stage}, expected 0 or more epochs")
        given["first_stage"] = args.first_stage
    if getattr(args, "backward_weight", None) is not None:
        given["backward_weight"] = args.backward_weight
    if args.without == "cinn":  # nothing to invert
        if given.get("backward_weight"):
            raise UsageError(f"--backward-weight: found {args.backward_weight:g} without CINN, expected 0")
        given["backward_weight"] = 0.0
    return replace(numbers, **given)


def check(args: argparse.Namespace, device: torch.device) -> None:
    """Refuse options that do not fit each other, and set PyTorch's switches.

    Raises:
        UsageError: see above.
    """
    if args.amp == "fp16" and device.type == "cpu":
        raise UsageError("--amp fp16: found a CPU, expected CUDA; use --amp bf16 or off")
    least = LEAST_CROP if not hasattr(args, "backward_weight") else LEAST_PATCH
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
    torch.set_flush_denormal(True)  # a CPU is many times slower on them, and small gradients are full of them


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


def fraction(text: str) -> float:
    """A number from 0 to under 1."""
    value = _number(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"found {text[:40]}, expected a number from 0 to under 1")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text[:40]}, expected a number") from None
