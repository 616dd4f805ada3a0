"""What each task trains on: its samples, its network, its loss, its validation images."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch import nn

from data import PairedImages, PanCollection
from data.errors import DataError
from data.hyperspectral import fusion_inputs
from data.patches.h5 import H5Patches
from data.patches.hyperspectral import SpectralPatches
from data.patches.pairs import PairCrops
from data.patches.pansharpening import PanPatches, PanScenePatches
from data.patches.scene_lists import training_scenes
from data.samples import SAMPLE_SENSOR, sample_hyperspectral, sample_pairs, sample_pan_scene
from data.simulate import spectral_response
from data.splits import split
from metrics.protocols import EXP
from metrics.sensors import ms_gains
from models import dcinn_hmf, dcinn_ivf, dcinn_ps
from utils.commandline.errors import UsageError
from utils.commandline.spectral_response import read_srf

from .holdout import readable, split_held, validation_label, validation_patches
from .losses import ivf_terms, maxima_terms, with_total
from .objectives import DetailObjective, MaximaObjective, Objective, StructureObjective
from .recipes import Recipe
from .validation import Validation, with_reference, without_reference

MOST_SCENES = 4  # of those trained on that are validated, where none are held back
MOST_SIDE = 256  # pixels of a validated scene's middle


@dataclass
class Task:
    """Everything `train.run` needs of a task.

    Attributes:
        kind: "ps", "hmf" or "ivf".
        source: a set of `data.patches`.
        build: the fresh network.
        objective: network -> loss.
        validation, validation_label: how it is judged, on what.
        label: where the samples are from.
        loss: what a resumed run must share, beside the recipe.
        model: fields of the configuration that weights to start from must have.
        lacking: srf or base_rule, for the authors' files.
        method: "dcinn", or one of `models.peers`.
    """

    kind: str
    source: object
    build: Callable[[], nn.Module]
    objective: Callable[[nn.Module], Objective]
    validation: Validation
    validation_label: str
    label: str
    loss: list
    model: dict
    lacking: dict = field(default_factory=dict)
    method: str = "dcinn"


def pansharpening(args: argparse.Namespace, numbers: Recipe) -> Task:
    """Patches of a training H5, of a scene by Wald's protocol, or of the sample scene."""
    if args.data is None:
        if args.rows or args.stride:
            raise UsageError("--rows, --stride: found without --data, expected with it")
        scene = sample_pan_scene()
        source = PanScenePatches(scene["ms"], scene["pan"][0], sensor=SAMPLE_SENSOR, patch=numbers.patch)
        label, bands, ratio = "the embedded sample", len(scene["ms"]), 4
    else:
        file = PanCollection(args.data, sensor=args.sensor, bits=args.bits, rows=args.rows)
        label, bands, ratio = file.label, file.bands, file.ratio
        if file.has_reference:
            if args.stride:
                raise UsageError(f"--stride: found for {args.data}, which holds patches, expected for a scene only")
            source = PanPatches(file)
        else:
            if file.ms_sides is None or len(file) != 1:
                found = "lms without ms or gt" if file.ms_sides is None else f"{len(file)} scenes without gt"
                raise DataError(args.data, found, "gt, or one scene with ms for Wald's protocol")
            item = file[0]
            h, w = (side // ratio * ratio for side in item["ms"].shape[1:])
            about = {"sensor": file.sensor, "ratio": ratio, "patch": numbers.patch, "name": str(args.data)}
            about["stride"] = args.stride or max(numbers.patch // 2 // ratio, 1) * ratio
            if ms_gains(file.sensor) is None:
                label += f" (sensor '{file.sensor}' without gains of its own: 0.3)"
            source = PanScenePatches(item["ms"][:, :h, :w], item["pan"][0, : h * ratio, : w * ratio], **about)
    train, held = split_held(source, args.hold_back, label)
    if args.val is not None:
        if args.hold_back:
            raise UsageError(f"--hold-back: found {args.hold_back} beside --val, expected one of them")
        held = PanPatches(PanCollection(args.val, sensor=args.sensor, bits=args.bits))
        if (held.collection.bands, held.collection.ratio) != (bands, ratio):
            found = f"{held.collection.bands} bands, ratio {held.collection.ratio}"
            raise DataError(args.val, found, f"{bands} bands, ratio {ratio} of the training data")
    items = validation_patches(train, held, args.skip_bad)
    overlap = args.hold_back and not isinstance(source, PanScenePatches)
    what = "patches (which may overlap the others)" if overlap else "patches"
    weight = numbers.backward_weight
    return Task(
        "ps",
        train,
        lambda: dcinn_ps(bands, without=args.without),
        lambda model: DetailObjective(model, weight, args.backward_target),
        with_reference(items, ratio, (EXP, "base_image")),
        validation_label(len(items), what, args.val, held),
        label,
        [weight, args.backward_target],
        {"bands": bands, "without": args.without},
    )


def hyperspectral(args: argparse.Namespace, numbers: Recipe) -> Task:
    """Patches of CAVE's or Harvard's scenes but for the test scenes, of a prepared H5, or of the sample scenes."""
    srf = read_srf(args.srf) if args.srf else spectral_response()
    held: Sequence | None = None
    if args.data is not None and args.data.is_file():
        source = H5Patches(args.data)
        if source.bands != len(srf) or source.guide_bands != srf.shape[1]:
            found = f"{source.bands} bands and a guide of {source.guide_bands}"
            raise DataError(args.data, found, f"{srf.shape[0]} and {srf.shape[1]} of the spectral response (--srf)")
        ratio, label = source.ratio, str(args.data)
        source, held_patches = split_held(source, args.hold_back, label)
        items = validation_patches(source, held_patches, args.skip_bad)
        seen, what, plain = held_patches, "patches (which may overlap the others)", ("bilinear", "base_image")
    else:
        ratio = args.ratio
        if args.data is None:
            scenes, label = sample_hyperspectral(), "the embedded sample"
        else:
            scenes, label = training_scenes(args.data, args.scenes, args.bits)
            scenes = readable(lambda i: _probed(scenes[i]), range(len(scenes)), args.skip_bad)
        if args.hold_back >= len(scenes):
            raise UsageError(f"--hold-back: found {args.hold_back} of {len(scenes)} scenes, expected fewer")
        held = scenes[len(scenes) - args.hold_back :] if args.hold_back else None
        label += f", {args.hold_back} of them held back" if held else ""
        kept = scenes[: len(scenes) - args.hold_back]
        stride = args.stride or max(numbers.patch // 2 // ratio, 1) * ratio
        try:
            source = SpectralPatches(kept, srf, ratio, numbers.patch, stride)
        except DataError:
            raise
        except ValueError as error:
            raise UsageError(f"--patch, --stride: {error}") from None
        judged = held or kept[:MOST_SCENES]
        items = [_whole_scene(scene, srf, ratio) for scene in judged]
        seen, what, plain = held, f"scenes (their middle {MOST_SIDE}x{MOST_SIDE})", ("bicubic", "bicubic")
    weight = numbers.backward_weight
    return Task(
        "hmf",
        source,
        lambda: dcinn_hmf(len(srf), srf=srf, without=args.without),
        lambda model: DetailObjective(model, weight, args.backward_target),
        with_reference(items, ratio, plain),
        validation_label(len(items), what, None, seen),
        label,
        [weight, args.backward_target, ratio],
        {"bands": len(srf), "guide_bands": srf.shape[1], "srf": srf.tolist(), "without": args.without},
        {"srf": srf},
    )


def training_pairs(args: argparse.Namespace) -> tuple[Sequence, str]:
    """The pairs of --data without the 50 test pairs, or the sample pairs, and where they are from."""
    pairs: Sequence
    if args.data is None:
        pairs, label = sample_pairs(), "the embedded sample"
    else:
        pairs, label = PairedImages(args.data), str(args.data)
        tests = set() if args.keep_test_pairs else set(split("roadscene_50"))
        if tests & {visible.stem for visible, _ in pairs.pairs}:
            before = len(pairs)
            pairs.pairs = [pair for pair in pairs.pairs if pair[0].stem not in tests]
            label += f", without {before - len(pairs)} test pairs of CDDFuse"
        if not len(pairs):
            raise DataError(args.data, "only test pairs of CDDFuse", "others to train on, or --keep-test-pairs")
    return pairs, label


def infrared_visible(args: argparse.Namespace, numbers: Recipe) -> Task:
    """Crops of RoadScene's pairs but for CDDFuse's 50 test pairs, of any pairs, or of the sample pairs."""
    pairs, label = training_pairs(args)
    train, held = split_held(PairCrops(pairs, numbers.patch), args.hold_back, label)
    first = len(pairs) - args.hold_back
    indices = range(first, len(pairs)) if args.hold_back else range(min(len(pairs), MOST_SCENES))
    items = readable(lambda i: whole_pair(pairs, i), indices, args.skip_bad)
    rule = args.base_rule or numbers.base_rule
    if numbers.maxima_weights:
        weights, objective = numbers.maxima_weights, MaximaObjective
        terms, factors = partial(maxima_terms, gain=weights.gain), weights[:-1]
    else:
        weights, objective = numbers.ivf_weights, StructureObjective
        terms, factors = ivf_terms, weights
    return Task(
        "ivf",
        train,
        lambda: dcinn_ivf(rule, detail_rule=args.detail_rule, without=args.without),
        lambda model: objective(model, weights),
        without_reference(items, lambda *images: with_total(terms(*images), torch.tensor(factors))[0]),
        validation_label(len(items), "pairs", None, held),
        label,
        list(weights),
        {"detail_rule": args.detail_rule, "without": args.without}
        | ({"base_rule": args.base_rule} if args.base_rule else {}),
        {"base_rule": rule},
    )


def _probed(scene: dict) -> dict:
    """The scene, read once."""
    scene["gt"]
    return scene


def _whole_scene(scene: dict, srf: np.ndarray, ratio: int) -> dict:
    """The middle of a scene with its inputs."""
    gt = scene["gt"]
    sides = [min(side // ratio * ratio, MOST_SIDE // ratio * ratio) for side in gt.shape[1:]]
    top, left = ((whole - side) // 2 for whole, side in zip(gt.shape[1:], sides, strict=True))
    gt = gt[:, top : top + sides[0], left : left + sides[1]]
    images = fusion_inputs(gt, srf, ratio)
    roles = {"base_image": images["hsi_up"], "guide": images["rgb"], "bicubic": images["bicubic"]}
    return {"name": scene["name"], "gt": gt, **roles}


def whole_pair(pairs: Sequence, index: int) -> dict:
    """A pair under the names of a training set."""
    pair = pairs[index]
    return {"name": pair["name"], "base_image": pair["visible"], "guide": pair["infrared"]}
