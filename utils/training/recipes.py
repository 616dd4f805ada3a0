"""The numbers of the four trainings: what the released scripts run, what the paper prints where it differs, and ours.

The third one, "tuned", is for infrared-visible images only: a loss that asks for the stronger of the sources, chosen on
held-back pairs of RoadScene.

Source: the authors' released training scripts ("released"), Wang et al., IJCV 132 (2024), section 5 ("paper").
Common to all: Adam (0.9, 0.999), eps 1e-8, no weight decay, gradients clipped to an L2 norm of 2e-4, learning rate
halved at the milestones.
"""

from dataclasses import dataclass

from .losses import MaximaWeights

CLIP = 2e-4
RECIPES = ("released", "paper", "tuned")
TUNED = MaximaWeights(2, 5, 0.5, 0.5, 0.3, 50, gain=1.4)


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
        base_rule: of ivf.
        maxima_weights: of the tuned loss.
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
    maxima_weights: MaximaWeights | None = None
    clip: float = CLIP
    gamma: float = 0.5
    first_stage: int = 0
    short_last: bool = False


PEER_RECIPES = {
    "auif": Recipe(1e-2, 80, 32, 128, (41,), clip=float("inf"), gamma=0.1, short_last=True),
    "cddfuse": Recipe(1e-4, 120, 8, 128, (20, 40, 60, 80, 100), clip=0.01, first_stage=40, short_last=True),
    "defusion": Recipe(4e-4, 50, 16, 224, (20, 40, 45, 47), clip=20.0),
    "defusion_latent": Recipe(1e-4, 200, 16, 224, (80, 160, 180, 190), clip=20.0),  # its second stage
}


def recipes_of(task: str) -> tuple[str, ...]:
    """The names that `recipe` takes for a task."""
    if task in PEER_RECIPES:
        return RECIPES[:1]
    return RECIPES if task.startswith("ivf") else RECIPES[:2]


def recipe(task: str, name: str = "released", ratio: int = 4) -> Recipe:
    """The recipe of "ps", "hmf", "ivf_rs" or "ivf_tno".

    Args:
        task: see above, or "auif", "cddfuse", "defusion", "defusion_latent": their authors' codes' numbers.
        name: "released", "paper", or of ivf "tuned".
        ratio: of hmf, whose patch the paper prints for 4 and 8: 10 low-resolution pixels.

    Raises:
        ValueError: for another task or name.
    """
    if name not in recipes_of(task):
        raise ValueError(f"recipe: found {name!r}, expected one of {', '.join(recipes_of(task))}")
    if task in PEER_RECIPES:
        return PEER_RECIPES[task]
    paper = name == "paper"
    steps = (50, 100, 250, 300)
    if task == "ps":
        return Recipe(1e-3 if paper else 8e-4, 350, 32, 64, steps, backward_weight=1.0)
    if task == "hmf":
        if paper:
            return Recipe(1e-3, 350, 32, 10 * ratio, steps, backward_weight=1.0)
        return Recipe(4e-4, 400, 16, 64, (50, 100, 200, 300))
    if name == "tuned" and task in ("ivf_rs", "ivf_tno"):
        return Recipe(4e-4, 20, 8, 152, (12, 16), maxima_weights=TUNED, base_rule="max")
    weights = {
        ("ivf_rs", "released"): (1, 0.05, 6e-4, 2.5e-4),
        ("ivf_rs", "paper"): (1, 0.05, 2.5e-3, 6e-3),
        ("ivf_tno", "released"): (1, 1, 1e-4, 0),
        ("ivf_tno", "paper"): (1, 1, 0, 1e-3),
    }
    if (task, name) not in weights:
        raise ValueError(f"recipe: found task {task!r}, expected ps, hmf, ivf_rs or ivf_tno")
    rule = "mean" if task == "ivf_rs" else "max"
    patch, batch = (128, 32) if paper else (152, 8)
    return Recipe(5e-5, 20, batch, patch, ivf_weights=weights[task, name], base_rule=rule)
