"""A training run from options to checkpoint. Options: `train_options.py`; data and losses of a task: `tasks.py`."""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from data.errors import DataError
from models import CheckpointError, load_pretrained
from models.peers import build_peer
from utils import distributed
from utils.commandline.device import hardware, pick_device
from utils.commandline.errors import UsageError

from .engine import Trainer
from .loader import Batches
from .options import check
from .recipes import Recipe
from .resume import seed_everything
from .settings import Options
from .tasks import Task


def run(name: str, args: argparse.Namespace, numbers: Recipe, prepare: Callable[[], Task]) -> dict[str, float]:
    """Train; returns the last validation's metrics.

    Args:
        name: "ps", "hmf", "ivf_rs", "ivf_tno".
        args: the options.
        numbers: of `chosen`.
        prepare: reads the data and builds the network's task.
    """
    with distributed.processes(pick_device(args.device)) as device:
        check(args, device)
        _check_folder(args)
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
            clip=numbers.clip,
            gamma=numbers.gamma,
            amp=args.amp,
            compile=args.compile,
            ema=args.ema,
            eval_every=args.eval_every,
            save_every=args.save_every,
            steps=args.steps,
            at_once=args.at_once,
            skip_bad=args.skip_bad,
        )
        try:
            pin, short = device.type == "cuda", numbers.short_last
            batches = Batches(task.source, numbers.batch, args.seed, args.workers, pin=pin, short_last=short)
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
            "clip": numbers.clip if np.isfinite(numbers.clip) else None,
            "amp": args.amp,
            "ema": args.ema,
            "loss": task.loss,
            "hold_back": args.hold_back,
            "stride": getattr(args, "stride", None),
            "rows": getattr(args, "rows", None),
            "whole": getattr(args, "whole", None) or None,
            "soft": getattr(args, "soft", None) or None,
            "cosines": getattr(args, "cosines", None) or None,
            "model": model.config.as_dict(),
        }
        model.recompute = args.recompute
        objective = task.objective(model).to(device)
        trainer = Trainer(objective, batches, task.validation, options)
        plain = task.validation.plain() if distributed.rank() == 0 else {}
        if args.resume:
            trainer.resume(args.resume)
        if distributed.rank() == 0:
            _say(name, args, task, batches, numbers, device)
            if args.resume and (began := _data_of(args.resume.parent)) not in (None, task.label):
                print(f"note: run.json names the data {began}")
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
            "hardware": hardware(device),
            "command": args.command,
            "torch": torch.__version__,
        }
        metrics = trainer.fit(config)
        skipped = distributed.total(trainer.skipped, device)
        if distributed.rank() == 0:
            values = _listed(metrics)
            done = f"{trainer.epoch} epochs, {trainer.total} steps"
            print(f"{done}; {values or 'no validation'}; {skipped} bad samples; results in {args.output}")
    return metrics


def _check_folder(args: argparse.Namespace) -> None:
    """Refuse to mix two runs in a folder; sets args.resume to the file to go on from."""
    nearest = next(place for place in (args.output.absolute(), *args.output.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise UsageError(f"{nearest}: found a file, expected a folder for the run")
    if not os.access(nearest, os.W_OK):
        raise UsageError(f"{nearest}: found a folder that cannot be written, expected another --output")
    last = args.output / "last.pth"
    if not args.resume:
        for earlier in (last, args.output / "best.pth", args.output / "train.csv"):
            if earlier.exists():
                raise UsageError(f"{earlier}: found an earlier run, expected --resume or another --output")
        return
    args.resume = last if args.resume is True else args.resume
    if not args.resume.is_file():
        raise DataError(args.resume, "no such file", "a last.pth to go on from")
    if args.weights:
        raise UsageError("--weights: found beside --resume, which has its own, expected one of them")
    if last.exists() and not args.resume.samefile(last):
        raise UsageError(f"{last}: found another run than {args.resume}, expected another --output")


def _started(args: argparse.Namespace, task: Task, device: torch.device) -> nn.Module:
    if args.resume or args.weights:
        file = args.resume or args.weights
        if task.method != "dcinn":
            model = load_pretrained(file, device=device, method=task.method).train()
            return model if args.resume else _grown(model, task.model).to(device).train()
        lacking = {} if args.resume else task.lacking
        model = load_pretrained(file, task=task.kind, device=device, **lacking)
        for name, wanted in task.model.items():
            found = getattr(model.config, name)
            if not np.array_equal(found, wanted) and not (name == "srf" and np.allclose(found, wanted, atol=1e-6)):
                raise UsageError(f"{args.resume or args.weights}: found another {name} than that of data and options")
        return model.train()
    try:
        return task.build().to(device).train()
    except ValueError as error:
        raise UsageError(str(error)) from None


def _grown(model: nn.Module, options: dict) -> nn.Module:
    """A peer with the parts that a later stage adds, fresh, beside the weights of an earlier one."""
    if all(getattr(model, name) == value for name, value in options.items()):
        return model
    grown = build_peer(model.config.method, {**model.config.options, **options})
    grown.load_state_dict(model.state_dict(), strict=False)
    return grown


def _data_of(folder: Path) -> str | None:
    """What a run says its data are; None where that is not known."""
    try:
        return str(json.loads((folder / "run.json").read_text(encoding="utf-8"))["data"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _say(
    name: str, args: argparse.Namespace, task: Task, batches: Batches, numbers: Recipe, device: torch.device
) -> None:
    print(f"{name}, recipe {args.recipe}: {len(task.source)} samples from {task.label}")
    print(f"validation: {task.validation_label}")
    print(
        f"{numbers.epochs} epochs of {len(batches)} batches of {batches.batch} (patch {numbers.patch}), "
        f"learning rate {numbers.lr:g}, {distributed.world()} process(es) on {device}"
        + (f"; ends after {args.steps} steps" if args.steps else "")
    )


def _listed(metrics: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
