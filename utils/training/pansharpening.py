"""The training task of pansharpening: patches, network, loss and validation images."""

from data import PanCollection
from data.errors import DataError
from data.patches.pansharpening import PanPatches, PanScenePatches
from data.samples import SAMPLE_SENSOR, sample_pan_scene
from metrics.protocols import EXP
from metrics.sensors import ms_gains
from models import dcinn_ps
from utils.commandline.errors import UsageError

from .arguments import TrainingArguments
from .ignored_options import refuse, sides_of_patches
from .objectives import DetailObjective
from .recipe import Recipe
from .task import Task
from .validation import with_reference
from .validation_split import split_held, validation_label, validation_patches


def pansharpening(args: TrainingArguments, recipe: Recipe) -> Task:
    """Return the training task, with patches of a training H5, of a scene by Wald's protocol, or of the sample scene.

    Raises:
        DataError, UsageError: for data that cannot be used, and options that do not fit them.
    """
    patch: int | str = recipe.patch
    if args.data is None:
        refuse(args, ("rows", "stride", "bits", "sensor"), "without --data, expected with it")
        scene = sample_pan_scene()
        source = PanScenePatches(scene["ms"], scene["pan"][0], sensor=SAMPLE_SENSOR, patch=recipe.patch)
        label, bands, ratio = "the embedded sample", len(scene["ms"]), 4
    else:
        file = PanCollection(args.data, sensor=args.sensor, bits=args.bits, rows=args.rows)
        label, bands, ratio = file.label, file.bands, file.ratio
        if file.has_reference:
            refuse(args, ("stride",), f"for {args.data}, which holds patches, expected for a scene only")
            patch = sides_of_patches(args, file.sides)
            source = PanPatches(file)
        else:
            if file.ms_sides is None or len(file) != 1:
                found = "lms without ms or gt" if file.ms_sides is None else f"{len(file)} scenes without gt"
                raise DataError(args.data, found, "gt, or one scene with ms for Wald's protocol")
            item = file[0]
            h, w = (side // ratio * ratio for side in item["ms"].shape[1:])
            about = {"sensor": file.sensor, "ratio": ratio, "patch": recipe.patch, "name": str(args.data)}
            about["stride"] = args.stride or max(recipe.patch // 2 // ratio, 1) * ratio
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
    weight = recipe.backward_weight
    return Task(
        kind="ps",
        source=train,
        build=lambda: dcinn_ps(bands, without=args.without),
        objective=lambda model: DetailObjective(model, weight, args.backward_target),
        validation=with_reference(items, ratio, (EXP, "base_image")),
        validation_label=validation_label(len(items), what, args.val, held),
        label=label,
        patch=patch,
        loss_settings=[weight, args.backward_target],
        expected_config={"bands": bands, "without": args.without},
    )
