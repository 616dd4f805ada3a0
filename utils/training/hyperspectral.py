"""The training task of hyperspectral-multispectral fusion: patches, network, loss and validation scenes."""

from collections.abc import Sequence

import numpy as np
from torch.utils.data import Subset

from data.errors import DataError
from data.hyperspectral import fusion_inputs
from data.patches.h5 import H5Patches
from data.patches.hyperspectral import SpectralPatches
from data.patches.training_images import training_scenes
from data.patches.twins import files_of, twins
from data.samples import sample_hyperspectral
from data.simulate import spectral_response
from models import dcinn_hmf
from utils.commandline.errors import UsageError
from utils.commandline.srf_option import read_srf

from .arguments import TrainingArguments
from .ignored_options import refuse, sides_of_patches
from .objectives import DetailObjective
from .recipe import Recipe
from .task import Task
from .validation import with_reference
from .validation_split import MOST_SCENES, readable_indices, split_held, validation_label, validation_patches

RATIO = 4  # resolution ratio, unless --ratio or prepared patches set one
MOST_SIDE = 256  # side in pixels of the middle of a scene that is validated


def hyperspectral(args: TrainingArguments, recipe: Recipe) -> Task:
    """Return the training task, with patches of CAVE or Harvard without test scenes, a prepared H5, or the sample.

    Raises:
        DataError, UsageError: for data that cannot be used, and options that do not fit them.
    """
    srf = read_srf(args.srf) if args.srf else spectral_response()
    held: Sequence | None = None
    both = ""
    if args.data is not None and args.data.is_file():
        source = H5Patches(args.data)
        if source.bands != len(srf) or source.guide_bands != srf.shape[1]:
            found = f"{source.bands} bands and a guide of {source.guide_bands}"
            raise DataError(args.data, found, f"{srf.shape[0]} and {srf.shape[1]} of the spectral response (--srf)")
        ratio, label, patch = source.ratio, str(args.data), sides_of_patches(args, source.sides)
        refuse(args, ("stride", "bits", "scenes"), f"for {label}, which holds patches, expected for scenes only")
        if args.ratio not in (None, ratio):
            raise UsageError(f"--ratio: found {args.ratio} for {label}, whose patches have {ratio}, expected none")
        source, held_patches = split_held(source, args.hold_back, label)
        items = validation_patches(source, held_patches, args.skip_bad)
        seen, what, plain = held_patches, "patches (which may overlap the others)", ("bilinear", "base_image")
    else:
        ratio, patch = args.ratio or RATIO, recipe.patch
        if args.data is None:
            refuse(args, ("bits", "scenes"), "without --data, expected with it")
            scenes, label = sample_hyperspectral(), "the embedded sample"
        else:
            every, label = training_scenes(args.data, args.scenes, args.bits)
            scenes = Subset(every, numbers := readable_indices(every, args.skip_bad))
            cut = max(len(numbers) - args.hold_back, 0)
            both = twins(files_of(every, numbers[:cut]), files_of(every, numbers[cut:]))
        if args.hold_back >= len(scenes):
            raise UsageError(f"--hold-back: found {args.hold_back} of {len(scenes)} scenes, expected fewer")
        last = len(scenes) - args.hold_back
        kept = Subset(scenes, range(last))
        held = Subset(scenes, range(last, len(scenes))) if args.hold_back else None
        label += f", {args.hold_back} of them held back" if held else ""
        stride = args.stride or max(recipe.patch // 2 // ratio, 1) * ratio
        try:
            source = SpectralPatches(kept, srf, ratio, recipe.patch, stride)
        except DataError:
            raise
        except ValueError as error:
            raise UsageError(f"--patch, --stride: {error}") from None
        judged = held or Subset(kept, range(min(len(kept), MOST_SCENES)))
        items = [_whole_scene(judged[i], srf, ratio) for i in range(len(judged))]
        seen, what, plain = held, f"scenes (their middle {MOST_SIDE}x{MOST_SIDE})", ("bicubic", "bicubic")
    weight = recipe.backward_weight
    return Task(
        kind="hmf",
        source=source,
        build=lambda: dcinn_hmf(len(srf), srf=srf, without=args.without),
        objective=lambda model: DetailObjective(model, weight, args.backward_target),
        validation=with_reference(items, ratio, plain),
        validation_label=validation_label(len(items), what, None, seen) + both,
        label=label,
        patch=patch,
        ratio=ratio,
        loss_settings=[weight, args.backward_target, ratio],
        expected_config={
            "bands": len(srf),
            "guide_bands": srf.shape[1],
            "srf": srf.tolist(),
            "without": args.without,
        },
        given_to_authors_files={"srf": srf},
    )


def _whole_scene(scene: dict, srf: np.ndarray, ratio: int) -> dict:
    """Return the middle of a scene, at most 256x256 pixels, with its simulated inputs."""
    gt = scene["gt"]
    sides = [min(side // ratio * ratio, MOST_SIDE // ratio * ratio) for side in gt.shape[1:]]
    top, left = ((whole - side) // 2 for whole, side in zip(gt.shape[1:], sides, strict=True))
    gt = gt[:, top : top + sides[0], left : left + sides[1]]
    images = fusion_inputs(gt, srf, ratio)
    roles = {"base_image": images["hsi_up"], "guide": images["rgb"], "bicubic": images["bicubic"]}
    return {"name": scene["name"], "gt": gt, **roles}
