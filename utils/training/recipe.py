"""What a recipe is: the numbers of one training. Each training script has its own at its top.

Common to the four of DCINN: Adam (0.9, 0.999), eps 1e-8, no weight decay, gradients clipped to an L2 norm of 2e-4,
learning rate halved at the milestones.
"""

from dataclasses import dataclass, replace

from .contrast import ContrastWeights
from .losses import MaximaWeights

CLIP = 2e-4


@dataclass(frozen=True)
class Recipe:
    """One training.

    Attributes:
        lr: learning rate at the start.
        epochs, batch: batch is that of all processes together.
        patch: side of a training patch, of the full resolution.
        milestones: epochs after which the learning rate is halved.
        backward_weight: of the loss of the inverse direction; 0 leaves the inverse pass out.
        ivf_weights: of 1 - SSIM(infrared), 1 - SSIM(visible), structure to infrared, structure to visible.
        base_rule, detail_rule: of ivf.
        maxima_weights: of the tuned loss.
        contrast_weights: of the contrast loss.
        night: share of the samples that are made dark, and whether validation pairs have a night version.
        clip: largest L2 norm of a group's gradient.
        gamma: what the rate is multiplied by at the milestones.
        first_stage: of CDDFuse, epochs.
        short_last: whether an epoch's incomplete last batch is trained on.
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


# Of both infrared-visible scripts: a loss that asks for the stronger of the sources, chosen on held-back pairs of
# RoadScene. Ours, not the paper's.
TUNED = Recipe(
    lr=4e-4,
    epochs=20,
    batch=8,
    patch=152,
    milestones=(12, 16),
    maxima_weights=MaximaWeights(2, 5, 0.5, 0.5, 0.3, 50, gain=1.4),
    base_rule="max",
)

# The same steps with a loss whose target is an image of more contrast, computed from the sources. Ours, too.
CONTRAST = replace(
    TUNED,
    maxima_weights=None,
    contrast_weights=ContrastWeights(4, 5, 0.05, 0.05, 10, gain=0.3, structure=0.6),
    detail_rule="brighter",
    night=0.5,
)
