"""A training run from options to checkpoint. `pansharpening.py` and its neighbours define each task's data and loss."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from data.errors import DataError
from models import CheckpointError, load_pretrained
from models.peers import build_peer
from models.weights.files import WeightFile
from utils import distributed
from utils.commandline.device import hardware, pick_device
from utils.commandline.errors import UsageError
from utils.commandline.terminal import say

from . import run_folder
from .arguments import TrainingArguments
from .compilation import mode_or_plain
from .engine import Trainer
from .fingerprint import fingerprint
from .loader import Batches
from .parser import READ_ON_CUDA, check
from .recipe import Recipe
from .resident import free_memory, resident
from .resume import seed_everything
from .settings import Settings
from .task import Task


def run(name: str, args: TrainingArguments, recipe: Recipe, prepare: Callable[[], Task]) -> dict[str, float]:
    """Train a network and return the metrics of the last validation, name -> value.

    Args:
        name: "ps", "hmf", "ivf_rs", "ivf_tno", or another method's name.
        args: the options.
        recipe: the recipe that `parser.chosen` returned.
        prepare: function that reads the data and returns the task.
    """
    with distributed.processes(pick_device(args.device)) as device:
        check(args, device, on_grid=name in ("ps", "hmf"))
        file = run_folder.opened(args)
        seed_everything(args.seed)
        task = _prepared(prepare)
        model = _started(args, file, task, device)
        try:
            pin, short = device.type == "cuda", recipe.short_last
            batches = Batches(task.source, recipe.batch, args.seed, args.workers, pin=pin, short_last=short)
        except ValueError as error:
            raise UsageError(f"--batch: {error}") from None
        if args.on_device:
            batches = resident(batches, device, free_memory(device))
        model.recompute = args.recompute
        settings = _settings(args, recipe, device)
        settings.shared = _shared(name, args, recipe, task, batches, model)
        trainer = Trainer(task.objective(model).to(device), batches, task.validation, settings)
        plain = task.validation.plain() if distributed.rank() == 0 else {}
        if file is not None:
            trainer.resume(file)
        elif args.resume:
            run_folder.check_same_run(args, settings.shared)
        earlier, file = (None if file is None else file.path), None  # frees its tensors
        if distributed.rank() == 0:
            _report(name, args, earlier, task, batches, recipe, device)
            for row, metrics in plain.items():
                say(f"without a network, {row}: {_listed(metrics)}")
        description = _description(name, args, recipe, task, settings, plain, earlier)
        description["parameters"] = sum(p.numel() for p in model.parameters())
        metrics = trainer.fit(description)
        skipped = distributed.total(trainer.skipped, device)
        if distributed.rank() == 0:
            values = _listed(metrics)
            done = f"{trainer.epoch} epochs, {trainer.total} steps"
            say(f"{done}; {values or 'no validation'}; {skipped} bad samples; results in {args.output}")
    return metrics


def _prepared(prepare: Callable[[], Task]) -> Task:
    try:
        return prepare()
    except (DataError, UsageError, CheckpointError):
        raise
    except ValueError as error:  # patch and stride, a sensor of other bands
        raise UsageError(str(error)) from None


def _settings(args: TrainingArguments, recipe: Recipe, device: torch.device) -> Settings:
    return Settings(
        folder=args.output,
        device=device,
        recipe=recipe,
        amp=args.amp,
        compile=mode_or_plain(args.compile, device),
        graph=args.graph,
        channels_last=args.channels_last,
        read_every=args.read_every or (READ_ON_CUDA if device.type == "cuda" else 1),
        ema=args.ema,
        eval_every=args.eval_every,
        save_every=args.save_every,
        steps=args.steps,
        at_once=args.at_once,
        skip_bad=args.skip_bad,
    )


def _shared(
    name: str, args: TrainingArguments, recipe: Recipe, task: Task, batches: Batches, model: nn.Module
) -> dict[str, object]:
    """Return the settings that a resumed run must have in common with the original; None if a task lacks one."""
    return {
        "task": name,
        "samples": len(task.source),
        "batch": batches.batch,
        "patch": task.patch or recipe.patch,
        "lr": recipe.lr,
        "milestones": list(recipe.milestones),
        "seed": args.seed,
        "clip": recipe.clip if np.isfinite(recipe.clip) else None,
        "amp": args.amp,
        "ema": args.ema,
        "loss": task.loss_settings,
        "night": recipe.night or None,
        "hold_back": args.hold_back,
        "stride": args.stride,
        "rows": args.rows,
        "bits": args.bits,
        "sensor": args.sensor,
        "ratio": task.ratio,
        "scenes": args.scenes,
        "infrared_range": args.infrared_range,
        "data": fingerprint(task.source),
        "whole": args.whole or None,
        "soft": args.soft or None,
        "cosines": args.cosines or None,
        "model": model.config.as_dict(),
    }


def _description(
    name: str,
    args: TrainingArguments,
    recipe: Recipe,
    task: Task,
    settings: Settings,
    plain: dict,
    earlier: Path | None,
) -> dict[str, object]:
    """Return the description of the run for run.json; `earlier` is the checkpoint that it resumes, or None."""
    return {
        "task": name,
        "recipe": args.recipe,
        "data": task.label,
        "weights": args.weights if earlier is None else run_folder.weights_of(earlier.parent),
        "validation": task.validation_label,
        "without_network": plain,
        "settings": settings.shared,
        "epochs": recipe.epochs,
        "model": settings.shared["model"],
        "processes": distributed.world(),
        "device": str(settings.device),
        "hardware": hardware(settings.device),
        "command": args.command,
        "torch": torch.__version__,
    }


def _started(args: TrainingArguments, file: WeightFile | None, task: Task, device: torch.device) -> nn.Module:
    """Return the network in training mode: from the checkpoint to resume, from --weights, or a fresh one."""
    if file is not None or args.weights:
        weights = file or args.weights
        if task.method != "dcinn":
            model = load_pretrained(weights, device=device, method=task.method).train()
            return model if file is not None else _grown(model, task.expected_config).to(device).train()
        given = {} if file is not None else task.given_to_authors_files
        model = load_pretrained(weights, task=task.kind, device=device, **given)
        for name, wanted in task.expected_config.items():
            found = getattr(model.config, name)
            if not np.array_equal(found, wanted) and not (name == "srf" and np.allclose(found, wanted, atol=1e-6)):
                where = args.weights if file is None else file.path
                raise UsageError(f"{where}: found another {name} than that of data and options")
        return model.train()
    try:
        return task.build().to(device).train()
    except ValueError as error:
        raise UsageError(str(error)) from None


def _grown(model: nn.Module, options: dict) -> nn.Module:
    """Return a later-stage network, with random new parts and the rest from `model`."""
    if all(getattr(model, name) == value for name, value in options.items()):
        return model
    grown = build_peer(model.config.method, {**model.config.options, **options})
    grown.load_state_dict(model.state_dict(), strict=False)
    return grown


def _report(
    name: str,
    args: TrainingArguments,
    earlier: Path | None,
    task: Task,
    batches: Batches,
    recipe: Recipe,
    device: torch.device,
) -> None:
    say(f"{name}, recipe {args.recipe}: {len(task.source)} samples from {task.label}")
    if args.resume and earlier is None:
        say(f"--resume: the run in {args.output} had no checkpoint yet; it starts from the beginning")
    if args.resume and (began := run_folder.data_of((earlier or args.output / "x").parent)) not in (None, task.label):
        say(f"note: run.json names the data {began}")
    say(f"validation: {task.validation_label}")
    say(
        f"{recipe.epochs} epochs of {len(batches)} batches of {batches.batch} (patch {task.patch or recipe.patch}), "
        f"learning rate {recipe.lr:g}, {distributed.world()} process(es) on {device}"
        + (f"; ends after {args.steps} steps" if args.steps else "")
    )


def _listed(metrics: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
