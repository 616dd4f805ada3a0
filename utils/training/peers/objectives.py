"""The training objectives of the other methods: their networks and losses, for the engine."""

import torch
from torch import Tensor
from torch.nn import functional

from models.peers import AUIF, CDDFuse, DeFusion
from models.peers.mae_teachers import Teacher
from models.peers.vit import GRID
from utils.training.objectives import Group, Objective

from .losses import auif_terms, cddfuse_first, cddfuse_second, defusion_terms


class PeerObjective(Objective):
    """The base of these objectives: nothing depends on the first batch, and gradients are not accumulated."""

    additive = False
    unused = True
    one_graph = False  # the stages differ, and some orders are random

    def start(self, batch: dict[str, Tensor]) -> None:
        """Do nothing: there is nothing to initialise."""


class RebuildObjective(PeerObjective):
    """AUIF-Net: an image is decoded from its own features. The detail encoder has a tenth of the learning rate."""

    names = ("loss", "mse", "ssim")
    roles = ("image",)

    def __init__(self, model: AUIF) -> None:
        super().__init__(model)

    def groups(self) -> list[Group]:
        """Return the parameters of base encoder, detail encoder and decoder."""
        model = self.model
        decoder = [*model.conv.parameters(), *model.norm.parameters()]
        return [Group(list(model.base.parameters())), Group(list(model.detail.parameters()), 0.1), Group(decoder)]

    def forward(self, image: Tensor) -> Tensor:
        """Return the loss, MSE and SSIM, (3,), of images (B, 1, H, W)."""
        rebuilt = self.model.rebuild(image).float()
        with torch.autocast(image.device.type, enabled=False):
            return auif_terms(image.float(), rebuilt).roll(1)


class TwoStageObjective(PeerObjective):
    """CDDFuse: a first stage rebuilds each image from its own features, a second trains the fusion layers as well.

    Args:
        model: the network.
        first_stage: epochs of the first stage.
    """

    names = ("loss", "rebuilt_visible", "rebuilt_infrared", "intensity", "gradient", "cc_base", "cc_detail", "apart")
    roles = ("base_image", "guide")

    def __init__(self, model: CDDFuse, first_stage: int) -> None:
        super().__init__(model)
        self.first_stage = self.judged_after = first_stage

    def groups(self) -> list[Group]:
        """Return the parameters of the four parts; milestones of the fusion layers count from the second stage on."""
        parts = (self.model.encoder, self.model.decoder, self.model.base_fuse, self.model.detail_fuse)
        sinces = (0, 0, self.first_stage, self.first_stage)
        return [Group(list(p.parameters()), since=since) for p, since in zip(parts, sinces, strict=True)]

    def forward(self, base_image: Tensor, guide: Tensor) -> Tensor:
        """Return the terms, (8,), of visible and infrared (B, 1, H, W); those of the other stage are zero."""
        model, images = self.model, (base_image, guide)
        visible, infrared = (model.encoder(image) for image in images)
        if self.epoch < self.first_stage:
            rebuilt = tuple(model.decoder(x, *f).float() for x, f in zip(images, (visible, infrared), strict=True))
        else:
            fused = model.decode(base_image, guide, visible, infrared).float()
        with torch.autocast(base_image.device.type, enabled=False):
            images, visible, infrared = (tuple(x.float() for x in pair) for pair in (images, visible, infrared))
            if self.epoch < self.first_stage:
                s_v, m_v, s_i, m_i, gradient, *rest, total = cddfuse_first(images, rebuilt, visible, infrared)
                return torch.stack((total, 5 * s_v + m_v, 5 * s_i + m_i, torch.zeros_like(total), gradient, *rest))
            intensity, gradient, _, *rest, total = cddfuse_second(images, fused, visible, infrared)
            nothing = torch.zeros_like(total)
            return torch.stack((total, nothing, nothing, intensity, gradient, *rest))


class ViewsObjective(PeerObjective):
    """DeFusion++: common part, unique parts and fusion of two masked views, and masked modelling; mean of the batch."""

    names = ("loss", "common", "unique1", "unique2", "masked", "fused")
    roles = ("view1", "view2", "mask1", "mask2", "image")
    additive = True

    def __init__(self, model: DeFusion) -> None:
        super().__init__(model)

    def forward(self, view1: Tensor, view2: Tensor, mask1: Tensor, mask2: Tensor, image: Tensor) -> Tensor:
        """Return the terms, (6,), of images (B, 3, 224, 224) and masks (B, 1, 224, 224)."""
        order = "12" if not self.training or torch.rand(()) > 0.5 else "21"
        noise = torch.rand(len(image), GRID**2, device=image.device)
        outputs = {name: x.float() for name, x in self.model.parts(view1, view2, order, noise).items()}
        with torch.autocast(image.device.type, enabled=False):
            terms = defusion_terms(image.float(), (mask1.float(), mask2.float()), outputs)
            return terms.roll(1) / len(image)


class LatentObjective(ViewsObjective):
    """DeFusion++'s second stage: the first stage's loss, plus losses on the tokens of an infrared-visible pair.

    These are the L1 distances of each image's tokens to its teacher's, and between the two common tokens.

    Args:
        model: the network, with `latent`.
        teachers: the teachers of the infrared and of the visible image.
    """

    names = (*ViewsObjective.names, "infrared", "visible", "alike")
    roles = (*ViewsObjective.roles, "guide", "base_image")

    def __init__(self, model: DeFusion, teachers: tuple[Teacher, Teacher]) -> None:
        super().__init__(model)
        self.teachers = teachers  # in a tuple, so not part of the module: neither trained nor saved

    def forward(
        self, view1: Tensor, view2: Tensor, mask1: Tensor, mask2: Tensor, image: Tensor, *pair: Tensor
    ) -> Tensor:
        """Return the terms, (9,), of `ViewsObjective`'s inputs and infrared and visible (B, 3, 224, 224)."""
        terms = super().forward(view1, view2, mask1, mask2, image)
        with torch.no_grad():
            goals = [teacher.to(x.device)(x).float() for teacher, x in zip(self.teachers, pair, strict=True)]
        latents, common = self.model.latents(*pair)
        with torch.autocast(image.device.type, enabled=False):
            both = (*zip(goals, latents, strict=True), common)
            distances = torch.stack([functional.l1_loss(x.float(), y.float()) for x, y in both])
            return torch.cat((terms[:1] + distances.sum(), terms[1:], distances))
