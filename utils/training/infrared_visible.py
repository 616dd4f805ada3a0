"""The training of infrared-visible fusion: its crops, network, loss and validation pairs."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from data import PairedImages
from data.errors import DataError
from data.patches.pairs import PairCrops
from data.samples import sample_pairs
from data.splits import split
from models import dcinn_ivf

from .arguments import TrainingArguments
from .holdout import MOST_SCENES, readable, split_held, validation_label
from .losses import ivf_terms, maxima_terms, with_total
from .objectives import MaximaObjective, StructureObjective
from .recipes import Recipe
from .task import Task
from .validation import without_reference


def training_pairs(data: Path | None, keep_test_pairs: bool) -> tuple[Sequence, str]:
    """The pairs of a folder without the 50 test pairs, or the sample pairs, and where they are from."""
    pairs: Sequence
    if data is None:
        pairs, label = sample_pairs(), "the embedded sample"
    else:
        pairs, label = PairedImages(data), str(data)
        tests = set() if keep_test_pairs else set(split("roadscene_50"))
        if tests & {visible.stem for visible, _ in pairs.pairs}:
            before = len(pairs)
            pairs.pairs = [pair for pair in pairs.pairs if pair[0].stem not in tests]
            label += f", without {before - len(pairs)} test pairs of CDDFuse"
        if not len(pairs):
            raise DataError(data, "only test pairs of CDDFuse", "others to train on, or --keep-test-pairs")
    return pairs, label


def infrared_visible(args: TrainingArguments, recipe: Recipe) -> Task:
    """Crops of RoadScene's pairs but for CDDFuse's 50 test pairs, of any pairs, or of the sample pairs."""
    pairs, label = training_pairs(args.data, args.keep_test_pairs)
    train, held = split_held(PairCrops(pairs, recipe.patch), args.hold_back, label)
    first = len(pairs) - args.hold_back
    indices = range(first, len(pairs)) if args.hold_back else range(min(len(pairs), MOST_SCENES))
    items = readable(lambda i: whole_pair(pairs, i), indices, args.skip_bad)
    rule = args.base_rule or recipe.base_rule
    if recipe.maxima_weights:
        weights, objective = recipe.maxima_weights, MaximaObjective
        terms, factors = partial(maxima_terms, gain=weights.gain), weights[:-1]
    else:
        weights, objective = recipe.ivf_weights, StructureObjective
        terms, factors = ivf_terms, weights
    return Task(
        kind="ivf",
        source=train,
        build=lambda: dcinn_ivf(rule, detail_rule=args.detail_rule, without=args.without),
        objective=lambda model: objective(model, weights),
        validation=without_reference(items, lambda *images: with_total(terms(*images), torch.tensor(factors))[0]),
        validation_label=validation_label(len(items), "pairs", None, held),
        label=label,
        loss_settings=list(weights),
        expected_config={
            "detail_rule": args.detail_rule,
            "without": args.without,
            **({"base_rule": args.base_rule} if args.base_rule else {}),
        },
        given_to_authors_files={"base_rule": rule},
    )


def whole_pair(pairs: Sequence, index: int) -> dict:
    """A pair under the names of a training set."""
    pair = pairs[index]
    return {"name": pair["name"], "base_image": pair["visible"], "guide": pair["infrared"]}
