"""DCINN: the whole network, top to bottom.

    a ──┬───────► decompose ── base ──────────────────────────┐
    b ──┼─┬─────►     │                                       │
        │ │           └─ detail ─────► CINN ─── residual ───► + ───► fused
        │ │                             ▲
        └─┴────► ANet ── conditions ────┘

    fused  = base + CINN(detail | ANet(a, b))
    detail = CINN^-1(fused - base | ANet(a, b))

    task | a (base image)           | b (guide)
    ps   | lms, the upsampled MS    | pan
    hmf  | upsampled hyperspectral  | rgb, or any multispectral image of known spectral response
    ivf  | visible (MRI)            | infrared (CT, PET, ...)

Source: Wang, Deng, Ran, Vivone, "A General Paradigm with Detail-Preserving Conditional Invertible Network for Image
Fusion", IJCV 132 (2024), as the released checkpoints compute it. README lists where the paper differs from them.
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from .ablation import PlainMapping, ablate
from .anet import ThreeScaleANet, TwoScaleANet
from .cinn import three_scale_flow, two_scale_flow
from .config import DCINNConfig, FurtherFields, checked_srf, srf_tensor
from .convexp import ConvExp
from .decomposition import GaussianDecomposition, PanDecomposition, SpectralDecomposition
from .inputs import check_kind
from .invertible import Compose
from .recompute import Recomputed

if TYPE_CHECKING:
    from typing_extensions import Unpack


class DCINN(nn.Module):
    """A DCINN network for one task. See the diagram above; `dcinn_ps`, `dcinn_hmf` and `dcinn_ivf` build one.

    Images are floating-point tensors (B, C, H, W), in [0, 1] by convention (digital numbers divided by 2047, 65535,
    255, ...). The output is not clamped. Any H and W work. CINN needs sides that are multiples of 2 and at least 4 (ps,
    hmf), or multiples of 8 and at least 16 (ivf), so other images are extended by reflection at the bottom and right,
    and the result is cropped.
    """

    whole_images_only = False  # the network may be run on tiles of an image
    decomposition: nn.Module
    anet: nn.Module
    flow: Compose | PlainMapping

    def __init__(self, config: DCINNConfig) -> None:
        super().__init__()
        self.config = config
        assert config.low_blocks is not None
        if config.task == "ivf":
            assert config.base_rule is not None
            self.decomposition = GaussianDecomposition(config.base_rule, config.detail_rule)
            self.anet = ThreeScaleANet()
            channels = ThreeScaleANet.conditions if config.without != "anet" else (0, 0, 0)
            self.flow = three_scale_flow(channels, config.low_blocks, config.terms)
            self.multiple, self.least = 8, 16
        else:
            hmf = config.task == "hmf"
            trunk, conditions, width = (64, (32, 32), 32) if hmf else (32, (16, 32), 16)
            self.decomposition = SpectralDecomposition(srf_tensor(config.srf)) if config.srf else PanDecomposition()
            self.anet = TwoScaleANet(config.bands + config.guide_bands, trunk, conditions)
            conditions = conditions if config.without != "anet" else (0, 0)
            self.flow = two_scale_flow(config.bands, width, conditions, config.low_blocks, config.terms)
            self.multiple, self.least = 2, 4
        if config.without is not None:
            ablate(self)
        self.exact = config.exact

    @property
    def exact(self) -> bool:
        """Whether both directions sum as many terms of the convolution exponential as the precision needs.

        Off by default: the released networks sum ten terms, and more terms change the WV3 fused image by up to 1.6e-4.
        """
        series = [m.exact for m in self.modules() if isinstance(m, ConvExp)]
        return bool(series) and all(series)

    @exact.setter
    def exact(self, value: bool) -> None:
        for module in self.modules():
            if isinstance(module, ConvExp):
                module.exact = bool(value)

    @property
    def recompute(self) -> bool:
        """Whether CINN's blocks and ANet's residual blocks use gradient checkpointing in training, to save memory.

        Off by default.
        """
        return all(m.recompute for m in self.modules() if isinstance(m, Recomputed))

    @recompute.setter
    def recompute(self, value: bool) -> None:
        for module in self.modules():
            if isinstance(module, Recomputed):
                module.recompute = bool(value)

    def forward(self, base_image: Tensor, guide: Tensor) -> Tensor:
        """Fuse two registered images.

        Args:
            base_image: (B, bands, H, W), in [0, 1]: lms, upsampled hyperspectral, or visible.
            guide: (B, guide_bands, H, W), in [0, 1]: pan, rgb, or infrared.

        Returns:
            (B, bands, H, W), not clamped.

        Raises:
            TypeError: for an input that is not a tensor.
            ValueError: for shapes, a precision or a device that do not fit each other or the network.
        """
        a, b = self._padded(base_image, guide)
        base, detail = self.decomposition(a, b)
        residual = self.flow(detail, self.anet(a, b))
        return self._cropped(base + residual, base_image)

    def decompose(self, base_image: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        """Return (base, detail), each (B, bands, H, W): `forward` maps the detail to the residual and adds the base."""
        base, detail = self.decomposition(*self._padded(base_image, guide))
        return self._cropped(base, base_image), self._cropped(detail, base_image)

    def invert(self, fused: Tensor, base_image: Tensor, guide: Tensor) -> Tensor:
        """Return the detail from which `forward` makes this fused image: CINN^-1(fused - base | ANet).

        This is the backward direction of the paper.

        Args:
            fused: (B, bands, H, W).
            base_image, guide: as for `forward`.

        Returns:
            (B, bands, H, W). For fused = model(base_image, guide) this is the detail of `decompose`, up to the
            truncation of the series (see `exact`). For sizes that need padding it differs near the bottom and right
            borders, because `forward` has cropped the padded strip.

        Raises:
            TypeError, ValueError: as for `forward`; ValueError also for a network without CINN, see `ablation`.
        """
        a, b = self._padded(base_image, guide)
        check_kind(self, fused=fused)
        if fused.shape != base_image.shape:
            raise ValueError(f"fused: found {tuple(fused.shape)}, expected {tuple(base_image.shape)}")
        base, _ = self.decomposition(a, b)
        residual = self._reflected(fused) - base
        return self._cropped(self.flow.inverse(residual, self.anet(a, b)), base_image)

    def _padded(self, base_image: Tensor, guide: Tensor) -> tuple[Tensor, Tensor]:
        check_kind(self, base_image=base_image, guide=guide)
        for name, image, channels in (
            ("base image", base_image, self.config.bands),
            ("guide", guide, self.config.guide_bands),
        ):
            if image.ndim != 4 or image.shape[1] != channels or 0 in image.shape:
                raise ValueError(f"{name}: found shape {tuple(image.shape)}, expected (B, {channels}, H, W)")
        if base_image.shape[0] != guide.shape[0] or base_image.shape[2:] != guide.shape[2:]:
            raise ValueError(
                f"guide: found {tuple(guide.shape)}, expected batch and sides of the base image, "
                f"{tuple(base_image.shape)}"
            )
        return self._reflected(base_image), self._reflected(guide)

    def padded_side(self, side: int) -> int:
        """Return the side in pixels, padding included, at which the network processes an image of this side."""
        return max(-(-side // self.multiple) * self.multiple, self.least)

    def _reflected(self, image: Tensor) -> Tensor:
        """Extend an image at the bottom and right to the network's sides: reflected, or replicated if too small."""
        for axis in (-2, -1):
            side = image.shape[axis]
            extra = self.padded_side(side) - side
            if extra:
                pad = (0, 0, 0, extra) if axis == -2 else (0, extra, 0, 0)
                image = functional.pad(image, pad, mode="reflect" if extra < side else "replicate")
        return image.contiguous(memory_format=torch.channels_last)

    @staticmethod
    def _cropped(image: Tensor, like: Tensor) -> Tensor:
        return image[..., : like.shape[-2], : like.shape[-1]]


def dcinn_ps(bands: int = 8, **options: "Unpack[FurtherFields]") -> DCINN:
    """Return a pansharpening network with random weights.

    Args:
        bands: multispectral bands, at least 2.
        options: further fields of DCINNConfig.
    """
    return DCINN(DCINNConfig("ps", bands=bands, **options))


def dcinn_hmf(bands: int = 31, *, srf: object, **options: "Unpack[FurtherFields]") -> DCINN:
    """Return a network for hyperspectral-multispectral fusion, with random weights.

    Args:
        bands: hyperspectral bands.
        srf: spectral response of the multispectral camera, (bands, channels), columns summing to one.
        options: further fields of DCINNConfig.
    """
    table = checked_srf(srf, bands)
    return DCINN(DCINNConfig("hmf", bands=bands, guide_bands=len(table[0]), srf=table, **options))


def dcinn_ivf(base_rule: str = "max", **options: "Unpack[FurtherFields]") -> DCINN:
    """Return a network for infrared-visible (or CT-MRI, ...) fusion, with random weights.

    Args:
        base_rule: "max" (the TNO model) or "mean" (the RoadScene model).
        options: further fields of DCINNConfig.
    """
    return DCINN(DCINNConfig("ivf", base_rule=base_rule, **options))


__all__ = ["DCINN", "DCINNConfig", "dcinn_hmf", "dcinn_ivf", "dcinn_ps"]
