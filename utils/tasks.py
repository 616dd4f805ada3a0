"""What each task trains on: its samples, its network, its loss, its validation images."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from data import PairedImages, PanCollection
from data.errors import DataError
from data.hyperspectral import fusion_inputs
from data.patches import H5Patches, PairCrops, PanPatches, ScenePatches, SpectralPatches
from data.samples import SAMPLE_SENSOR, sample_hyperspectral, sample_pairs, sample_pan_scene
from data.simulate import spectral_response
from data.splits import split
from models import DCINN, dcinn_hmf, dcinn_ivf, dcinn_ps

from . import cli
from .measure import EXP
from .objectives import DetailObjective, Objective, StructureObjective
from .options import Validation
from .recipes import Recipe
from .scene_lists import training_scenes
from .validate import with_reference, without_reference

SEEN = "the training images themselves (--hold-back N for others)"
MOST_SCENES, MOST_SEEN, MOST_HELD = 4, 16, 64  # validated: training images, training patches, patches held back
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
        lacking: srf or base_rule, for the authors' files.
    """

    kind: str
    source: object
    build: Callable[[], DCINN]
    objective: Callable[[DCINN], Objective]
    validation: Validation
    validation_label: str
    label: str
    loss: list
    lacking: dict = field(default_factory=dict)


def pansharpening(args: argparse.Namespace, numbers: Recipe) -> Task:
    """Patches of a training H5, of a scene by Wald's protocol, or of the sample scene."""
    if args.data is None:
        scene = sample_pan_scene()
        source = ScenePatches(scene["ms"], scene["pan"][0], sensor=SAMPLE_SENSOR, patch=numbers.patch)
        label, bands, ratio = "the embedded sample", len(scene["ms"]), 4
    else:
        file = PanCollection(args.data, sensor=args.sensor, bits=args.bits)
        label, bands, ratio = str(args.data), file.bands, file.ratio
        if file.has_reference:
            source = PanPatches(file)
        else:
            item = file[0]
            if item["ms"] is None:
                raise DataError(args.data, "lms without ms or gt", "gt, or ms for Wald's protocol")
            h, w = (side // ratio * ratio for side in item["ms"].shape[1:])
            about = {"sensor": file.sensor, "ratio": ratio, "patch": numbers.patch}
            source = ScenePatches(item["ms"][:, :h, :w], item["pan"][0, : h * ratio, : w * ratio], **about)
    train, held = _split(source, args.hold_back, label)
    if args.val is not None:
        held = PanPatches(PanCollection(args.val, sensor=args.sensor, bits=args.bits))
    items = _validation_patches(train, held, args.skip_bad)
    weight = numbers.backward_weight
    return Task(
        "ps",
        train,
        lambda: dcinn_ps(bands),
        lambda model: DetailObjective(model, weight, args.backward_target),
        with_reference(items, ratio, (EXP, "base_image")),
        _validation_label(len(items), "patches", args.val, held),
        label,
        [weight, args.backward_target],
    )


def hyperspectral(args: argparse.Namespace, numbers: Recipe) -> Task:
    """Patches of CAVE's or Harvard's scenes but for the test scenes, of a prepared H5, or of the sample scenes."""
    srf = cli.read_srf(args.srf) if args.srf else spectral_response()
    held: Sequence | None = None
    if args.data is not None and args.data.is_file():
        source = H5Patches(args.data)
        if source.bands != len(srf) or source.guide_bands != srf.shape[1]:
            found = f"{source.bands} bands and a guide of {source.guide_bands}"
            raise DataError(args.data, found, f"{srf.shape[0]} and {srf.shape[1]} of the spectral response (--srf)")
        ratio, label = source.ratio, str(args.data)
        source, held_patches = _split(source, args.hold_back, label)
        items = _validation_patches(source, held_patches, args.skip_bad)
        seen, what, plain = held_patches, "patches", ("bilinear", "base_image")
    else:
        ratio = args.ratio
        if args.data is None:
            scenes, label = sample_hyperspectral(), "the embedded sample"
        else:
            scenes, label = training_scenes(args.data, args.scenes, args.bits)
        if args.hold_back >= len(scenes):
            raise cli.UsageError(f"--hold-back: found {args.hold_back} of {len(scenes)} scenes, expected fewer")
        held = scenes[len(scenes) - args.hold_back :] if args.hold_back else None
        label += f", {args.hold_back} of them held back" if held else ""
        kept = scenes[: len(scenes) - args.hold_back]
        try:
            source = SpectralPatches(kept, srf, ratio, numbers.patch, args.stride or numbers.patch // 2)
        except DataError:
            raise
        except ValueError as error:
            raise cli.UsageError(f"--patch, --stride: {error}") from None
        judged = held or kept[:MOST_SCENES]
        items = [_whole_scene(scene, srf, ratio) for scene in judged]
        seen, what, plain = held, f"scenes (their middle {MOST_SIDE}x{MOST_SIDE})", ("bicubic", "bicubic")
    weight = numbers.backward_weight
    return Task(
        "hmf",
        source,
        lambda: dcinn_hmf(len(srf), srf=srf),
        lambda model: DetailObjective(model, weight, args.backward_target),
        with_reference(items, ratio, plain),
        _validation_label(len(items), what, None, seen),
        label,
        [weight, args.backward_target, ratio],
        {"srf": srf},
    )


def infrared_visible(args: argparse.Namespace, numbers: Recipe) -> Task:
    """Crops of RoadScene's pairs but for CDDFuse's 50 test pairs, of any pairs, or of the sample pairs."""
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
    train, held = _split(PairCrops(pairs, numbers.patch), args.hold_back, label)
    first = len(pairs) - args.hold_back
    indices = range(first, len(pairs)) if args.hold_back else range(min(len(pairs), MOST_SCENES))
    items = _readable(lambda i: _whole_pair(pairs, i), indices, args.skip_bad)
    rule = args.base_rule or numbers.base_rule
    return Task(
        "ivf",
        train,
        lambda: dcinn_ivf(rule),
        lambda model: StructureObjective(model, numbers.ivf_weights),
        without_reference(items, numbers.ivf_weights),
        _validation_label(len(items), "pairs", None, held),
        label,
        list(numbers.ivf_weights),
        {"base_rule": rule},
    )


class Part:
    """The samples of a set from `first` on, `count` of them."""

    def __init__(self, source: object, first: int, count: int) -> None:
        self.source, self.first, self.count = source, first, count

    def __len__(self) -> int:
        return self.count

    def sample(self, index: int, rng: np.random.Generator | None) -> dict:
        """Sample `index` of this part."""
        return self.source.sample(self.first + index, rng)


def _split(source: object, held: int, label: str) -> tuple[object, object | None]:
    """The samples to train on, and the last `held` ones."""
    if held >= len(source):
        raise cli.UsageError(f"--hold-back: found {held} of {len(source)} samples of {label}, expected fewer")
    if not held:
        return source, None
    return Part(source, 0, len(source) - held), Part(source, len(source) - held, held)


def _readable(load: Callable[[int], dict], indices: Sequence[int], skip_bad: bool) -> list[dict]:
    """The samples of these indices, without those that cannot be read where that is asked for."""
    items = []
    for index in indices:
        try:
            items.append(load(index))
        except DataError:
            if not skip_bad:
                raise
    return items


def _validation_patches(train: object, held: object | None, skip_bad: bool) -> list[dict]:
    """Patches that are held back, or else some of the training set, from all over it."""
    shown, most = (train, MOST_SEEN) if held is None else (held, MOST_HELD)
    spread = sorted({int(i) for i in np.linspace(0, len(shown) - 1, min(len(shown), most))})
    return _readable(lambda i: shown.sample(i, None), spread, skip_bad)


def _validation_label(count: int, what: str, file: Path | None, held: object | None) -> str:
    origin = f" of {file}" if file else " held back" if held is not None else f" of {SEEN}"
    return f"{count} {what}{origin}"


def _whole_scene(scene: dict, srf: np.ndarray, ratio: int) -> dict:
    """The middle of a scene with its inputs."""
    gt = scene["gt"]
    sides = [min(side // ratio * ratio, MOST_SIDE // ratio * ratio) for side in gt.shape[1:]]
    top, left = ((whole - side) // 2 for whole, side in zip(gt.shape[1:], sides, strict=True))
    gt = gt[:, top : top + sides[0], left : left + sides[1]]
    images = fusion_inputs(gt, srf, ratio)
    roles = {"base_image": images["hsi_up"], "guide": images["rgb"], "bicubic": images["bicubic"]}
    return {"name": scene["name"], "gt": gt, **roles}


def _whole_pair(pairs: Sequence, index: int) -> dict:
    pair = pairs[index]
    return {"name": pair["name"], "base_image": pair["visible"], "guide": pair["infrared"]}
