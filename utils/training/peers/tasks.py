"""The training tasks of the other methods: samples, network, loss and validation images."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Subset

from data.pair_folders import holds_pairs
from data.patches.pairs import PairGrid
from data.patches.single_images import GrayCrops, PairImages, Views, ViewsAndPairs
from data.patches.training_images import training_pairs, training_photographs
from data.patches.twins import files_of, twins
from models.peers import CDDFuse, DeFusion, build_peer
from models.peers.defusion_cosine_start import cosine_start
from models.peers.vit import SIDE
from models.weights.peer_files import load_teacher
from utils.commandline.errors import UsageError
from utils.training.arguments import TrainingArguments
from utils.training.infrared_visible import whole_pair
from utils.training.recipe import Recipe
from utils.training.task import Task
from utils.training.validation import Validation, without_reference
from utils.training.validation_split import MOST_SCENES, readable, validation_label

from .losses import gradient_size
from .objectives import LatentObjective, Objective, RebuildObjective, TwoStageObjective, ViewsObjective

MOST_VIEWS, VIEW_SEED = 16, 1


def auif(args: TrainingArguments, recipe: Recipe) -> Task:
    """Return AUIF-Net's task: single images, infrared and visible mixed, are rebuilt."""
    images, held, label, both = _single_images(args)
    judged = held or _first(images)
    samples = GrayCrops(judged, recipe.patch)
    items = _judged(samples, args)
    validation = _by_loss(items, RebuildObjective, ("mse", "ssim"))
    return _task(
        "auif",
        source=GrayCrops(images, recipe.patch),
        objective=RebuildObjective,
        validation=validation,
        judged=len(items),
        held=held,
        label=label,
        both=both,
    )


def defusion(args: TrainingArguments, recipe: Recipe) -> Task:
    """Return DeFusion++'s task: two views of a photograph are decomposed and fused; with teachers, pairs as well."""
    if recipe.patch != SIDE:
        raise UsageError(f"--patch: found {recipe.patch}, expected {SIDE}, the network's own side")
    images, held, label, both = _single_images(args)
    shares = {"whole": args.whole, "soft": args.soft}
    judged, source, objective, options = held or _first(images), Views(images, SIDE, **shares), ViewsObjective, {}
    samples = Views(judged, SIDE, **shares)
    if args.teachers:
        pairs, origin = training_pairs(args.pairs or args.data, args.keep_test_pairs, args.infrared_range)
        first = len(pairs) - args.hold_back
        if first < 1:
            raise UsageError(f"--hold-back: found {args.hold_back} of {len(pairs)} pairs of {origin}, expected fewer")
        others = Subset(pairs, range(first, len(pairs))) if args.hold_back else _first(pairs)
        source = ViewsAndPairs(images, SIDE, Subset(pairs, range(first)), **shares)
        samples = ViewsAndPairs(judged, SIDE, others, **shares)
        objective = partial(LatentObjective, teachers=tuple(load_teacher(file) for file in args.teachers))
        label, options = f"{label}; pairs of {origin}", {"latent": True}
    items = _judged(samples, args)
    names = (LatentObjective if args.teachers else ViewsObjective).names[1:]
    validation = _by_loss(items, objective, names)
    task = _task(
        "defusion",
        source=source,
        objective=objective,
        validation=validation,
        judged=len(items),
        held=held,
        label=label,
        both=both,
        options=options,
    )
    return replace(task, build=lambda: _with_cosines(task.build())) if args.cosines else task


def cddfuse(args: TrainingArguments, recipe: Recipe) -> Task:
    """Return CDDFuse's task, with patches on a grid over the pairs, without patches of low contrast."""
    pairs, label = training_pairs(args.data, args.keep_test_pairs, args.infrared_range)
    first = len(pairs) - args.hold_back
    if first < 1:
        raise UsageError(f"--hold-back: found {args.hold_back} of {len(pairs)} pairs of {label}, expected fewer")
    source = PairGrid(pairs, range(first), recipe.patch, skip_bad=args.skip_bad)
    indices = range(first, len(pairs)) if args.hold_back else range(min(len(pairs), MOST_SCENES))
    items = readable(lambda i: whole_pair(pairs, i), indices, args.skip_bad)
    both = twins(files_of(pairs, range(first)), files_of(pairs, range(first, len(pairs))))
    judged = without_reference(items, _intensity_and_gradient)
    return _task(
        "cddfuse",
        source=source,
        objective=lambda model: TwoStageObjective(model, recipe.first_stage),
        validation=replace(judged, measure=lambda model: _unstretched(judged, model)),
        judged=len(items),
        held=args.hold_back or None,
        label=label,
        both=both,
        loss_settings=[recipe.first_stage],
    )


TASKS = {"auif": auif, "cddfuse": cddfuse, "defusion": defusion}


def _with_cosines(model: DeFusion) -> DeFusion:
    cosine_start(model)
    return model


def _judged(samples: object, args: TrainingArguments) -> list[dict]:
    """Return the first samples, up to 16, with fixed random numbers."""
    numbers = range(min(len(samples), MOST_VIEWS))
    return readable(lambda i: samples.sample(i, np.random.default_rng((VIEW_SEED, i))), numbers, args.skip_bad)


def _first(images: Sequence) -> Subset:
    """Return the first images, up to 4, to validate on if none are held back."""
    return Subset(images, range(min(len(images), MOST_SCENES)))


def _single_images(args: TrainingArguments) -> tuple[Sequence, Sequence | None, str, str]:
    """Return the images to train on, those held back or None, a label of the data, and a warning of `twins`.

    The images are those of pairs if the folder holds pairs, else photographs.
    """
    images: Sequence
    if args.data is None or holds_pairs(Path(args.data)):
        pairs, label = training_pairs(args.data, args.keep_test_pairs, args.infrared_range)
        images = PairImages(pairs)
    else:
        images, label = training_photographs(Path(args.data), args.keep_test_pairs)
    held = args.hold_back * (2 if isinstance(images, PairImages) else 1)
    if held >= len(images):
        raise UsageError(f"--hold-back: found {args.hold_back} of {label}, expected fewer than there are")
    if not held:
        return images, None, label, ""
    files = pairs if isinstance(images, PairImages) else images
    last = len(files) - args.hold_back
    both = twins(files_of(files, range(last)), files_of(files, range(last, len(files))))
    cut = len(images) - held
    return Subset(images, range(cut)), Subset(images, range(cut, len(images))), label, both


def _task(
    method: str,
    *,
    source: object,
    objective: Callable[[nn.Module], Objective],
    validation: Validation,
    judged: int,
    held: object,
    label: str,
    both: str = "",
    loss_settings: Sequence = (),
    options: dict | None = None,
) -> Task:
    """Return the task of another method.

    `judged` counts the validation samples, `held` is None if they are training samples, and `both` is the warning of
    `twins`; the rest as in `Task`, `options` being arguments of the network.
    """
    what = "pairs" if method == "cddfuse" else "crops"
    return Task(
        kind="ivf",
        source=source,
        build=lambda: build_peer(method, options or {}),
        objective=objective,
        validation=validation,
        validation_label=validation_label(judged, what, None, held) + both,
        label=label,
        loss_settings=list(loss_settings),
        expected_config=options or {},
        method=method,
    )


def _by_loss(items: list[dict], objective: Callable[[nn.Module], Objective], terms: tuple[str, ...]) -> Validation:
    """Return a validation by the training loss and its terms on whole samples, in evaluation mode."""

    def measure(model: nn.Module) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        judge, rows = objective(model).eval(), []
        device = next(model.parameters()).device
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):  # seeded: all; kept: its own
            torch.manual_seed(VIEW_SEED)
            for item in items:
                inputs = [torch.from_numpy(item[role])[None].to(device) for role in judge.roles]
                rows.append(judge(*inputs).double().cpu().numpy())
        means = np.mean(rows, axis=0)
        return dict(zip(names, map(float, means), strict=True)), {}

    names = ("val_loss", *(f"val_{term}" for term in terms))
    return Validation(names, -1, measure)


def _unstretched(validation: Validation, model: CDDFuse) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Return what `validation` measures without the stretching of fused images, as the loss sees them."""
    stretch, model.stretch = model.stretch, False
    try:
        return validation.measure(model)
    finally:
        model.stretch = stretch


def _intensity_and_gradient(fused: Tensor, infrared: Tensor, visible: Tensor) -> Tensor:
    """Return the part of CDDFuse's second-stage loss that depends on the fused image alone, a scalar."""
    intensity = (fused - torch.maximum(visible, infrared)).abs().mean()
    stronger = torch.maximum(gradient_size(visible), gradient_size(infrared))
    return intensity + 10 * (gradient_size(fused) - stronger).abs().mean()
