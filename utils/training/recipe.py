"""Recipes, the numbers of a training. Each training script defines its own at its top.

All DCINN recipes share Adam (0.9, 0.999) with eps 1e-8 and no weight decay, gradients clipped to an L2 norm of 2e-4,
and a learning rate that is halved at the milestones.
"""

from dataclasses import dataclass, replace

from .contrast import ContrastWeights
from .losses import MaximaWeights

CLIP = 2e-4


@dataclass(frozen=True)
class Recipe:
    """The numbers of one training.

    Attributes:
        lr: learning rate at the start.
        epochs: passes over the data.
        batch: samples per step, of all processes together.
        patch: side of a training patch in pixels of the full resolution.
        milestones: epochs after which the learning rate is multiplied by `gamma`.
        backward_weight: weight of the loss of the inverse direction; 0 leaves the inverse pass out.
        ivf_weights: weights of the released ivf loss, see `losses.ivf_terms`.
        base_rule, detail_rule: how ivf fuses the low-passes and the high-passes, see `DCINNConfig`.
        maxima_weights: weights of the tuned loss; None is another loss.
        contrast_weights: weights of the contrast loss; None is another loss.
        night: fraction of the samples that are darkened; if not 0, validation has night versions of its pairs, too.
        clip: largest L2 norm of a group's gradient.
        gamma: factor of the learning rate at each milestone.
        first_stage: epochs of CDDFuse's first stage.
        short_last: train on an incomplete last batch of an epoch, too.
    """

    lr: float
    epochs: int
    batch: int
    patch: int
    milestones: tuple[int, ...] = ()
    backward_weight: float = 0.0
    ivf_weights: tuple[float, float, float, float] | None = None
    base_rule: str | None = None
    detail_rule: str = "sum"
    maxima_weights: MaximaWeights | None = None
    contrast_weights: ContrastWeights | None = None
    night: float = 0.0
    clip: float = CLIP
    gamma: float = 0.5
    first_stage: int = 0
    short_last: bool = False


# For both infrared-visible scripts: a loss towards the stronger of the two sources, on pairs by day and darkened ones,
# chosen by the rule in benchmarks/night.py on held-back pairs of RoadScene. It is ours, not the paper's. Both of ours
# have three times the released schedule, since after its 20 epochs their losses are still falling.
TUNED = Recipe(
    lr=4e-4,
    epochs=60,
    batch=8,
    patch=152,
    milestones=(36, 48),
    maxima_weights=MaximaWeights(2, 5, 0.5, 0.5, 0.3, 300, gain=1.4),
    base_rule="max",
    night=0.5,
)

# The same with a loss whose target is an image of more contrast, computed from the sources. It is ours, too.
CONTRAST = replace(
    TUNED,
    maxima_weights=None,
    contrast_weights=ContrastWeights(4, 5, 0.05, 0.05, 10, gain=0.3, structure=0.6),
    detail_rule="brighter",
)
