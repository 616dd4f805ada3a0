"""What each peer trains on: its samples, its network, its loss, its validation images."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from data.infrared_visible import holds_pairs
from data.patches.pairs import PairGrid
from data.patches.photographs import FolderImages, GrayCrops, PairImages, Views, ViewsAndPairs
from data.splits import split
from models.peers import CDDFuse, DeFusion, build_peer
from models.peers.cosine_start import cosine_start
from models.peers.vit import SIDE
from models.weights.peer_files import load_teacher
from utils.commandline.errors import UsageError
from utils.training.holdout import readable, validation_label
from utils.training.recipes import Recipe
from utils.training.tasks import MOST_SCENES, Task, training_pairs, whole_pair
from utils.training.validation import Validation, without_reference

from .losses import gradient_size
from .objectives import LatentObjective, Objective, RebuildObjective, TwoStageObjective, ViewsObjective

MOST_VIEWS, VIEW_SEED = 16, 1


def auif(args: argparse.Namespace, numbers: Recipe) -> Task:
    """Single images, infrared and visible mixed, that are rebuilt."""
    images, held, label = _single_images(args)
    judged = held or _Few(images)
    samples = GrayCrops(judged, numbers.patch)
    items = _judged(samples, args)
    validation = _by_loss(items, RebuildObjective, ("mse", "ssim"))
    return _task("auif", args, GrayCrops(images, numbers.patch), RebuildObjective, validation, len(items), held, label)


def defusion(args: argparse.Namespace, numbers: Recipe) -> Task:
    """Two views of a photograph, that are taken apart and put together."""
    if numbers.patch != SIDE:
        raise UsageError(f"--patch: found {numbers.patch}, expected {SIDE}, the network's own side")
    images, held, label = _single_images(args)
    shares = {"whole": args.whole, "soft": args.soft}
    judged, source, objective, options = held or _Few(images), Views(images, SIDE, **shares), ViewsObjective, {}
    samples = Views(judged, SIDE, **shares)
    if args.teachers:
        pairs, origin = training_pairs(argparse.Namespace(**{**vars(args), "data": args.pairs or args.data}))
        first = len(pairs) - args.hold_back
        if first < 1:
            raise UsageError(f"--hold-back: found {args.hold_back} of {len(pairs)} pairs of {origin}, expected fewer")
        others = _Part(pairs, range(first, len(pairs))) if args.hold_back else _Few(pairs)
        source = ViewsAndPairs(images, SIDE, _Part(pairs, range(first)), **shares)
        samples = ViewsAndPairs(judged, SIDE, others, **shares)
        objective = partial(LatentObjective, teachers=tuple(load_teacher(file) for file in args.teachers))
        label, options = f"{label}; pairs of {origin}", {"latent": True}
    items = _judged(samples, args)
    names = (LatentObjective if args.teachers else ViewsObjective).names[1:]
    validation = _by_loss(items, objective, names)
    task = _task("defusion", args, source, objective, validation, len(items), held, label, options=options)
    return replace(task, build=lambda: _with_cosines(task.build())) if args.cosines else task


def cddfuse(args: argparse.Namespace, numbers: Recipe) -> Task:
    """Patches of a grid over the pairs, those of low contrast left out."""
    pairs, label = training_pairs(args)
    first = len(pairs) - args.hold_back
    if first < 1:
        raise UsageError(f"--hold-back: found {args.hold_back} of {len(pairs)} pairs of {label}, expected fewer")
    source = PairGrid(pairs, range(first), numbers.patch, skip_bad=args.skip_bad)
    indices = range(first, len(pairs)) if args.hold_back else range(min(len(pairs), MOST_SCENES))
    items = readable(lambda i: whole_pair(pairs, i), indices, args.skip_bad)
    judged = without_reference(items, _intensity_and_gradient)
    return _task(
        "cddfuse",
        args,
        source,
        lambda model: TwoStageObjective(model, numbers.first_stage),
        replace(judged, measure=lambda model: _unstretched(judged, model)),
        len(items),
        args.hold_back or None,
        label,
        loss=[numbers.first_stage],
    )


TASKS = {"auif": auif, "cddfuse": cddfuse, "defusion": defusion}


def _with_cosines(model: DeFusion) -> DeFusion:
    cosine_start(model)
    return model


def _judged(samples: object, args: argparse.Namespace) -> list[dict]:
    """The first samples, as they are always drawn."""
    numbers = range(min(len(samples), MOST_VIEWS))
    return readable(lambda i: samples.sample(i, np.random.default_rng((VIEW_SEED, i))), numbers, args.skip_bad)


class _Few:
    """The first images, where none are held back."""

    def __init__(self, images: Sequence) -> None:
        self.images = images

    def __len__(self) -> int:
        return min(len(self.images), MOST_SCENES)

    def __getitem__(self, index: int) -> tuple:
        return self.images[index]


class _Part(_Few):
    def __init__(self, images: Sequence, numbers: range) -> None:
        self.images, self.numbers = images, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> tuple:
        return self.images[self.numbers[index]]


def _single_images(args: argparse.Namespace) -> tuple[Sequence, Sequence | None, str]:
    """Those to train on, those held back, and where they are from: pairs, or a folder of photographs."""
    images: Sequence
    if args.data is None or holds_pairs(Path(args.data)):
        pairs, label = training_pairs(args)
        images = PairImages(pairs)
    else:
        images, label = FolderImages(Path(args.data)), f"{args.data} (photographs)"
        if left := 0 if args.keep_test_pairs else images.leave_out(split("roadscene_50")):
            label += f", without {left} test images of CDDFuse"
    held = args.hold_back * (2 if isinstance(images, PairImages) else 1)
    if held >= len(images):
        raise UsageError(f"--hold-back: found {args.hold_back} of {label}, expected fewer than there are")
    if not held:
        return images, None, label
    return _Part(images, range(len(images) - held)), _Part(images, range(len(images) - held, len(images))), label


def _task(
    method: str,
    args: argparse.Namespace,
    source: object,
    objective: object,
    validation: Validation,
    judged: int,
    held: object,
    label: str,
    loss: list | None = None,
    options: dict | None = None,
) -> Task:
    what = "pairs" if method == "cddfuse" else "crops"
    return Task(
        "ivf",
        source,
        lambda: build_peer(method, options or {}),
        objective,
        validation,
        validation_label(judged, what, None, held),
        label,
        loss or [],
        options or {},
        method=method,
    )


def _by_loss(items: list[dict], objective: Callable[[nn.Module], Objective], terms: tuple[str, ...]) -> Validation:
    """The training's loss of whole samples, in evaluation mode."""

    def measure(model: nn.Module) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        judge, rows = objective(model).eval(), []
        device = next(model.parameters()).device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(VIEW_SEED)
            for item in items:
                inputs = [torch.from_numpy(item[role])[None].to(device) for role in judge.roles]
                rows.append(judge(*inputs).double().cpu().numpy())
        means = np.mean(rows, axis=0)
        return dict(zip(names, map(float, means), strict=True)), {}

    names = ("val_loss", *(f"val_{term}" for term in terms))
    return Validation(names, -1, measure)


def _unstretched(validation: Validation, model: CDDFuse) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Of the fused image that the loss is of: before it is stretched."""
    stretch, model.stretch = model.stretch, False
    try:
        return validation.measure(model)
    finally:
        model.stretch = stretch


def _intensity_and_gradient(fused: Tensor, infrared: Tensor, visible: Tensor) -> Tensor:
    """CDDFuse's second stage without its features: what the fused image is to be."""
    intensity = (fused - torch.maximum(visible, infrared)).abs().mean()
    stronger = torch.maximum(gradient_size(visible), gradient_size(infrared))
    return intensity + 10 * (gradient_size(fused) - stronger).abs().mean()
