"""What is minimised: the network and the loss of its task, in one module, so that several processes can share it."""

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
    """Parameters with a learning rate and a largest gradient of their own.

    Attributes:
        factor: of the run's learning rate.
        since: the epoch from which on they are trained, and their rate counts milestones.
    """

    parameters: list[nn.Parameter]
    factor: float = 1.0
    since: int = 0


class Objective(nn.Module):
    """A batch -> the terms of the loss, (terms,), the first being their weighted sum.

    Attributes:
        names: of the terms.
        roles: what it takes of a batch, in this order; what a batch lacks is left out.
        epoch: that is trained now.
        additive: whether a batch's terms are the means of its samples' terms, so that gradients can be accumulated.
        judged_after: epochs of an earlier stage, whose weights are no candidates for the best ones.
        unused: whether there are parameters that not every step gives a gradient.
        one_graph: whether every step runs the same operations, so that one can be recorded and repeated.
        at_once: samples that the network sees at once where they are not; None: the batch.
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
        """Of the parameters; all together by default."""
        return [Group([p for p in self.parameters() if p.requires_grad])]

    def start(self, batch: dict[str, Tensor]) -> None:
        """Before the first step: what depends on the first batch of all processes."""
        start_actnorm(self.model, batch["base_image"], batch["guide"])


class DetailObjective(Objective):
    """ps and hmf: L1(fused, gt) + weight * L1(CINN^-1(target), detail).

    Args:
        model: the network.
        weight: 0 leaves the inverse pass out.
        target: of the inverse pass: the network's "predicted" residual, as released and as the paper's text says (the
            term is then zero up to the truncation of the convolution exponential: 1e-8 fresh, 5e-5 trained), or the
            "reference" one, gt - base.
    """

    def __init__(self, model: DCINN, weight: float = 0.0, target: str = "predicted") -> None:
        super().__init__(model)
        if target not in BACKWARD_TARGETS:
            raise ValueError(f"found target {target!r}, expected one of {', '.join(BACKWARD_TARGETS)}")
        self.weight, self.target = weight, target
        self.names = ("loss", "forward", "backward") if weight else ("loss", "forward")

    def forward(self, base_image: Tensor, guide: Tensor, gt: Tensor) -> Tensor:
        """(B, C, H, W) each -> (2,) or (3,)."""
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
    """ivf: weighted terms of (fused, infrared, visible), in float32 whatever the network computes in."""

    roles = ("base_image", "guide")

    def __init__(self, model: nn.Module, weights: Sequence[float]) -> None:
        super().__init__(model)
        self.register_buffer("weights", torch.tensor(weights), persistent=False)

    def terms(self, fused: Tensor, infrared: Tensor, visible: Tensor) -> Tensor:
        """(B, 1, H, W) each -> (terms,), without their sum."""
        raise NotImplementedError

    def forward(self, base_image: Tensor, guide: Tensor) -> Tensor:
        """(B, 1, H, W) visible and infrared -> (1 + terms,)."""
        fused = full(in_parts(self.model, self.at_once, base_image, guide))
        with torch.autocast(fused.device.type, enabled=False):
            return with_total(self.terms(fused, full(guide), full(base_image)), self.weights)


class StructureObjective(PairObjective):
    """The released loss, `losses.ivf_terms`; the norms are over the batch of all processes, as with one process.

    Args:
        model: the network.
        weights: of the four terms; released: (1, 0.05, 6e-4, 2.5e-4) RoadScene, (1, 1, 1e-4, 0) TNO.
    """

    names = ("loss", "ssim_infrared", "ssim_visible", "structure_infrared", "structure_visible")
    additive = False

    def terms(self, fused: Tensor, infrared: Tensor, visible: Tensor) -> Tensor:
        """(B, 1, H, W) each -> (4,)."""
        return ivf_terms(fused, infrared, visible, norm=norm_over_processes)


class MaximaObjective(PairObjective):
    """The tuned loss, `losses.maxima_terms`."""

    names = ("loss", "intensity", "gradient", "ssim_infrared", "ssim_visible", "differences", "range")

    def __init__(self, model: nn.Module, weights: MaximaWeights) -> None:
        super().__init__(model, weights[:-1])
        self.gain = weights.gain

    def terms(self, fused: Tensor, infrared: Tensor, visible: Tensor) -> Tensor:
        """(B, 1, H, W) each -> (6,)."""
        return maxima_terms(fused, infrared, visible, self.gain)


class ContrastObjective(PairObjective):
    """The contrast loss, `contrast.contrast_terms`."""

    names = ("loss", "intensity", "gradient", "ssim_infrared", "ssim_visible", "range")

    def __init__(self, model: nn.Module, weights: ContrastWeights) -> None:
        super().__init__(model, weights[:-2])
        self.target = {"gain": weights.gain, "structure": weights.structure}

    def terms(self, fused: Tensor, infrared: Tensor, visible: Tensor) -> Tensor:
        """(B, 1, H, W) each -> (5,)."""
        return contrast_terms(fused, infrared, visible, **self.target)


@torch.no_grad()
def start_actnorm(model: DCINN, base_image: Tensor, guide: Tensor) -> None:
    """Set the data-dependent start of every ActNorm from the first batch of ALL processes, in float32.

    Done once before the first step, so that mixed precision, compilation and several processes do not change it.
    """
    training = model.training
    model.train()
    with torch.autocast(base_image.device.type, enabled=False):
        model(full(base_image), full(guide))
    model.train(training)
