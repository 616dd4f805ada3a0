"""The training scripts: their options, and a run from options to checkpoint. Data and losses of a task: `tasks.py`."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from data.errors import DataError
from models import DCINN, CheckpointError, load_pretrained

from . import cli, distributed
from .engine import Trainer
from .entry import Parser, UsageError
from .loader import Batches
from .objectives import BACKWARD_TARGETS
from .options import PRECISIONS, Options
from .recipes import CLIP, RECIPES, Recipe, recipe
from .state import seed_everything
from .tasks import Task

MOST_WORKERS = 128


def train_parser(task: str, description: str, data_help: str) -> Parser:
    """The options every training script has. What is left out comes from the recipe."""
    parser = Parser(description=description, allow_abbrev=False)
    add = parser.add_argument
    add("--data", type=Path, help=f"{data_help} (default: the embedded sample)")
    add("--output", type=Path, default=Path("runs") / task, help="folder of checkpoints, logs and pictures")
    add("--resume", nargs="?", const=True, type=Path, help="go on from OUTPUT/last.pth, or from the file given")
    add("--weights", help="start from these weights instead of random ones")
    add("--recipe", choices=RECIPES, default="released", help="the released scripts' numbers, or the paper's")
    numbers = recipe(task)
    for name, kind, value, what in (
        ("lr", _positive_float, numbers.lr, "learning rate at the start"),
        ("epochs", cli.positive, numbers.epochs, "passes over the data"),
        ("batch", cli.positive, numbers.batch, "samples of a step, of all processes together"),
        ("patch", cli.positive, numbers.patch, "side of a training patch"),
    ):
        add(f"--{name}", type=kind, help=f"{what} (default: the recipe's, {value:g} as released)")
    add("--milestones", type=int, nargs="*", help="epochs after which the rate is halved (default: the recipe's)")
    add("--clip", type=_positive_float, default=CLIP, help="largest L2 norm of the gradient")
    add("--hold-back", type=int, default=0, help="images that are not trained on but validated on")
    add("--eval-every", type=cli.positive, default=1, help="epochs between validations")
    add("--save-every", type=cli.positive, default=500, help="steps between checkpoints, beside that of every epoch")
    add("--steps", type=cli.positive, help="end after so many steps (default: after the epochs)")
    add("--ema", type=_fraction, default=0.0, help="decay of a moving average of the weights; 0: none")
    add("--skip-bad", action="store_true", help="leave out samples that cannot be read, and count them")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where it runs")
    add("--amp", choices=tuple(PRECISIONS), default="off", help="mixed precision")
    add("--tf32", action="store_true", help="TF32 convolutions on CUDA, as PyTorch 1.12 had them")
    add("--compile", action="store_true", help="torch.compile")
    add("--deterministic", action="store_true", help="refuse operations that are not repeatable")
    add("--workers", type=int, default=0, help="processes that read the data")
    add("--seed", type=cli.seed, default=0, help="of weights, order and crops")
    if not task.startswith("ivf"):
        add("--backward-weight", type=float, help="of the inverse direction's loss; 0: none (default: the recipe's)")
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
    given = {k: getattr(args, k) for k in ("lr", "epochs", "batch", "patch") if getattr(args, k) is not None}
    if args.milestones is not None:
        given["milestones"] = tuple(args.milestones)
    if getattr(args, "backward_weight", None) is not None:
        given["backward_weight"] = args.backward_weight
    return replace(numbers, **given)


def run(name: str, args: argparse.Namespace, numbers: Recipe, prepare: Callable[[], Task]) -> dict[str, float]:
    """Train; returns the last validation's metrics.

    Args:
        name: "ps", "hmf", "ivf_rs", "ivf_tno".
        args: the options.
        numbers: of `chosen`.
        prepare: reads the data and builds the network's task.
    """
    with distributed.processes(cli.pick_device(args.device)) as device:
        _check(args, device)
        last = args.output / "last.pth"
        if not args.resume and last.exists():
            raise UsageError(f"{last}: found an earlier run, expected --resume or another --output")
        if args.resume is True:
            args.resume = last
        if args.resume and not args.resume.is_file():
            raise DataError(args.resume, "no such file", "a last.pth to go on from")
        seed_everything(args.seed)
        try:
            task = prepare()
        except (DataError, UsageError, CheckpointError):
            raise
        except ValueError as error:  # patch and stride, a sensor of other bands
            raise UsageError(str(error)) from None
        model = _started(args, task, device)
        options = Options(
            folder=args.output,
            device=device,
            lr=numbers.lr,
            epochs=numbers.epochs,
            milestones=numbers.milestones,
            clip=args.clip,
            amp=args.amp,
            compile=args.compile,
            ema=args.ema,
            eval_every=args.eval_every,
            save_every=args.save_every,
            steps=args.steps,
            skip_bad=args.skip_bad,
        )
        try:
            batches = Batches(task.source, numbers.batch, args.seed, args.workers, pin=device.type == "cuda")
        except ValueError as error:
            raise UsageError(f"--batch: {error}") from None
        options.settings = {
            "task": name,
            "samples": len(task.source),
            "batch": batches.batch,
            "patch": numbers.patch,
            "lr": numbers.lr,
            "milestones": list(numbers.milestones),
            "seed": args.seed,
            "clip": args.clip,
            "amp": args.amp,
            "ema": args.ema,
            "loss": task.loss,
        }
        objective = task.objective(model).to(device)
        trainer = Trainer(objective, batches, task.validation, options)
        plain = task.validation.plain() if distributed.rank() == 0 else {}
        if args.resume:
            trainer.resume(args.resume)
        if distributed.rank() == 0:
            _say(name, args, task, batches, numbers, device)
            for row, metrics in plain.items():
                print(f"without a network, {row}: {_listed(metrics)}")
        config = {
            "task": name,
            "recipe": args.recipe,
            "data": task.label,
            "validation": task.validation_label,
            "without_network": plain,
            "settings": options.settings,
            "epochs": numbers.epochs,
            "model": model.config.as_dict(),
            "parameters": sum(p.numel() for p in model.parameters()),
            "processes": distributed.world(),
            "device": str(device),
            "torch": torch.__version__,
        }
        metrics = trainer.fit(config)
        skipped = distributed.total(trainer.skipped, device)
        if distributed.rank() == 0:
            values = _listed(metrics)
            done = f"{trainer.epoch} epochs, {trainer.total} steps"
            print(f"{done}; {values or 'no validation'}; {skipped} bad samples; results in {args.output}")
    return metrics


def _check(args: argparse.Namespace, device: torch.device) -> None:
    if args.amp == "fp16" and device.type == "cpu":
        raise UsageError("--amp fp16: found a CPU, expected CUDA; use --amp bf16 or off")
    if args.hold_back < 0:
        raise UsageError(f"--hold-back: found {args.hold_back}, expected 0 or more")
    if not 0 <= args.workers <= MOST_WORKERS:
        raise UsageError(f"--workers: found {args.workers}, expected 0 to {MOST_WORKERS}")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = args.tf32
    torch.use_deterministic_algorithms(args.deterministic)
    torch.set_flush_denormal(True)  # a CPU is many times slower on them, and small gradients are full of them


def _started(args: argparse.Namespace, task: Task, device: torch.device) -> DCINN:
    if args.resume:
        return load_pretrained(args.resume, device=device).train()
    if args.weights:
        return load_pretrained(args.weights, task=task.kind, device=device, **task.lacking).train()
    try:
        return task.build().to(device).train()
    except ValueError as error:
        raise UsageError(str(error)) from None


def _say(
    name: str, args: argparse.Namespace, task: Task, batches: Batches, numbers: Recipe, device: torch.device
) -> None:
    print(f"{name}, recipe {args.recipe}: {len(task.source)} samples from {task.label}")
    print(f"validation: {task.validation_label}")
    print(
        f"{numbers.epochs} epochs of {len(batches)} batches of {batches.batch} (patch {numbers.patch}), "
        f"learning rate {numbers.lr:g}, {distributed.world()} process(es) on {device}"
    )


def _listed(metrics: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())


def _positive_float(text: str) -> float:
    value = _number(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text[:40]}, expected a number over 0")
    return value


def _fraction(text: str) -> float:
    value = _number(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"found {text[:40]}, expected a number from 0 to under 1")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text[:40]}, expected a number") from None
