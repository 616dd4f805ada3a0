"""The training task of infrared-visible fusion: crops, network, loss and validation pairs."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch

from data.patches.night import night_pair
from data.patches.pairs import PairCrops
from data.patches.training_images import training_pairs
from data.patches.twins import files_of, twins
from models import dcinn_ivf

from .arguments import TrainingArguments
from .contrast import contrast_terms
from .losses import ivf_terms, maxima_terms, with_total
from .objectives import ContrastObjective, MaximaObjective, StructureObjective
from .recipe import Recipe
from .task import Task
from .validation import without_reference
from .validation_split import MOST_SCENES, readable, split_held, validation_label

NIGHT_SEED = 20


def infrared_visible(args: TrainingArguments, recipe: Recipe) -> Task:
    """Return the training task, with crops of a folder's pairs without test images, or of the sample pairs.

    Raises:
        DataError, UsageError: for data that cannot be used, and options that do not fit them.
    """
    pairs, label = training_pairs(args.data, args.keep_test_pairs, args.infrared_range)
    train, held = split_held(PairCrops(pairs, recipe.patch, recipe.night), args.hold_back, label)
    first = len(pairs) - args.hold_back
    indices = range(first, len(pairs)) if args.hold_back else range(min(len(pairs), MOST_SCENES))
    items = readable(lambda i: whole_pair(pairs, i), indices, args.skip_bad)
    if recipe.night:
        items += [at_night(item, number) for number, item in enumerate(items)]
    both = twins(files_of(pairs, range(first)), files_of(pairs, range(first, len(pairs))))
    rule = args.base_rule or recipe.base_rule
    detail_rule = args.detail_rule or recipe.detail_rule
    if recipe.contrast_weights:
        weights, objective = recipe.contrast_weights, ContrastObjective
        terms, factors = partial(contrast_terms, gain=weights.gain, structure=weights.structure), weights[:-2]
    elif recipe.maxima_weights:
        weights, objective = recipe.maxima_weights, MaximaObjective
        terms, factors = partial(maxima_terms, gain=weights.gain), weights[:-1]
    else:
        weights, objective = recipe.ivf_weights, StructureObjective
        terms, factors = ivf_terms, weights
    return Task(
        kind="ivf",
        source=train,
        build=lambda: dcinn_ivf(rule, detail_rule=detail_rule, without=args.without),
        objective=lambda model: objective(model, weights),
        validation=without_reference(items, lambda *images: with_total(terms(*images), torch.tensor(factors))[0]),
        validation_label=validation_label(len(items), "pairs", None, held) + both,
        label=label,
        loss_settings=list(weights),
        expected_config={
            "detail_rule": detail_rule,
            "without": args.without,
            **({"base_rule": args.base_rule} if args.base_rule else {}),
        },
        given_to_authors_files={"base_rule": rule},
    )


def at_night(item: dict, number: int) -> dict:
    """Return a whole pair as at night; the random numbers depend on `number` alone."""
    visible, infrared = night_pair(item["base_image"], item["guide"], np.random.default_rng((NIGHT_SEED, number)))
    return {"name": f"{item['name']}, night", "base_image": visible, "guide": infrared}


def whole_pair(pairs: Sequence, index: int) -> dict:
    """Return a whole pair as a sample: `name`, `base_image` (visible) and `guide` (infrared), each (1, H, W)."""
    pair = pairs[index]
    return {"name": pair["name"], "base_image": pair["visible"], "guide": pair["infrared"]}
