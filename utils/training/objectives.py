"""The training objectives: network and loss in one module, so that DistributedDataParallel can wrap it."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models import DCINN
from models.recompute import in_parts
from utils.distributed import norm_over_processes

from .contrast import ContrastWeights, contrast_terms
from .losses import MaximaWeights, full, ivf_terms, l1, maxima_terms, with_total

BACKWARD_TARGETS = ("predicted", "reference")


class Group(NamedTuple):
    """Parameters with their own learning rate; their gradient is clipped on its own.

    Attributes:
        factor: factor of the run's learning rate.
        since: the epoch from which their learning rate counts milestones: only later ones reduce it.
    """

    parameters: list[nn.Parameter]
    factor: float = 1.0
    since: int = 0


class Objective(nn.Module):
    """Maps a batch to the terms of the loss, (terms,); the first is their weighted sum.

    Attributes:
        names: names of the terms.
        roles: arrays of the batch that `forward` takes, in order; those that the batch lacks are left out.
        epoch: the current epoch.
        additive: whether a batch's terms are the means of its samples' terms, so that gradients can be accumulated.
        judged_after: epochs of an earlier stage; its weights are not saved as the best.
        unused: whether some steps leave parameters without a gradient.
        one_graph: whether every step runs the same operations, so that one can be recorded and repeated.
        at_once: if not additive, the samples that pass the network at once; None is the whole batch.
    """

    names: tuple[str, ...]
    roles: tuple[str, ...] = ("base_image", "guide", "gt")
    additive = True
    unused = False
    one_graph = True
    judged_after = 0
    at_once: int | None = None
    epoch = 0

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def groups(self) -> list[Group]:
        """Return the groups of parameters to train; by default one with all of them."""
        return [Group([p for p in self.parameters() if p.requires_grad])]

    def start(self, batch: dict[str, Tensor]) -> None:
        """Initialise what depends on the first batch, of all processes; called before the first step."""
        start_actnorm(self.model, batch["base_image"], batch["guide"])


class DetailObjective(Objective):
    """The objective of ps and hmf: L1(fused, gt) + weight * L1(CINN^-1(target), detail).

    Args:
        model: the network.
        weight: weight of the second term; 0 leaves the inverse pass out.
        target: the residual that is inverted: "predicted", the network's own, as released and in the paper's text (the
            term is then zero up to the truncation of the convolution exponential: 1e-8 fresh, 5e-5 trained), or
            "reference", gt - base.
    """

    def __init__(self, model: DCINN, weight: float = 0.0, target: str = "predicted") -> None:
        super().__init__(model)
        if target not in BACKWARD_TARGETS:
            raise ValueError(f"found target {target!r}, expected one of {', '.join(BACKWARD_TARGETS)}")
        self.weight, self.target = weight, target
        self.names = ("loss", "forward", "backward") if weight else ("loss", "forward")

    def forward(self, base_image: Tensor, guide: Tensor, gt: Tensor) -> Tensor:
        """Return the terms, (2,) without and (3,) with the inverse pass; images (B, C, H, W)."""
        base, detail = self.model.decomposition(base_image, guide)
        conditions = self.model.anet(base_image, guide)
        residual = self.model.flow(detail, conditions)
        forward = l1(base + residual, gt)
        if not self.weight:
            return torch.stack((forward, forward))
        target = residual if self.target == "predicted" else gt - base
        backward = l1(self.model.flow.inverse(target, conditions), detail)
        return torch.stack((forward + self.weight * backward, forward, backward))


class PairObjective(Objective):
    """The objective of ivf: weighted terms of fused, infrared and visible, in float32 for any network precision."""

    roles = ("base_image", "guide")

    def __init__(self, model: nn.Module, weights: Sequence[float]) -> None:
        super().__init__(model)
        self.register_buffer("weights", torch.tensor(weights), persistent=False)

    def terms(self, fused: Tensor, infrared: Tensor, visible: Tensor) -> Tensor:
        """Return the terms without their sum, (terms,), of images (B, 1, H, W)."""
        raise NotImplementedError

    def forward(self, base_image: Tensor, guide: Tensor) -> Tensor:
        """Return the weighted sum and the terms, (1 + terms,), of visible and infrared (B, 1, H, W)."""
        fused = full(in_parts(self.model, self.at_once, base_image, guide))
        with torch.autocast(fused.device.type, enabled=False):
            return with_total(self.terms(fused, full(guide), full(base_image)), self.weights)


class StructureObjective(PairObjective):
    """The released loss, `losses.ivf_terms`, with norms over the batch of all processes, as with one process.

    Args:
        model: the network.
        weights: weights of the four terms; released: (1, 0.05, 6e-4, 2.5e-4) RoadScene, (1, 1, 1e-4, 0) TNO.
    """

    names = ("loss", "ssim_infrared", "ssim_visible", "structure_infrared", "structure_visible")
    additive = False

    def terms(self, fused: Tensor, infrared: Tensor, visible: Tensor) -> Tensor:
        """Return the four terms, (4,), of images (B, 1, H, W)."""
        return ivf_terms(fused, infrared, visible, norm=norm_over_processes)


class MaximaObjective(PairObjective):
    """The tuned loss, `losses.maxima_terms`."""

    names = ("loss", "intensity", "gradient", "ssim_infrared", "ssim_visible", "differences", "range")

    def __init__(self, model: nn.Module, weights: MaximaWeights) -> None:
        super().__init__(model, weights[:-1])
        self.gain = weights.gain

    def terms(self, fused: Tensor, infrared: Tensor, visible: Tensor) -> Tensor:
        """Return the six terms, (6,), of images (B, 1, H, W)."""
        return maxima_terms(fused, infrared, visible, self.gain)


class ContrastObjective(PairObjective):
    """The contrast loss, `contrast.contrast_terms`."""

    names = ("loss", "intensity", "gradient", "ssim_infrared", "ssim_visible", "range")

    def __init__(self, model: nn.Module, weights: ContrastWeights) -> None:
        super().__init__(model, weights[:-2])
        self.target = {"gain": weights.gain, "structure": weights.structure}

    def terms(self, fused: Tensor, infrared: Tensor, visible: Tensor) -> Tensor:
        """Return the five terms, (5,), of images (B, 1, H, W)."""
        return contrast_terms(fused, infrared, visible, **self.target)


@torch.no_grad()
def start_actnorm(model: DCINN, base_image: Tensor, guide: Tensor) -> None:
    """Initialise every ActNorm from the first batch of ALL processes, in float32.

    This is done once before the first step, so that mixed precision, compilation and the number of processes do not
    change the result.
    """
    training = model.training
    model.train()
    with torch.autocast(base_image.device.type, enabled=False):
        model(full(base_image), full(guide))
    model.train(training)
