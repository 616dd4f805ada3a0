"""CDDFuse: base and detail features of both images by one encoder, fused apart, decoded together.

    visible  ── shared ─┬─ base ───┐
                        └─ detail ─┼─┐        base   = base_fuse(sum of the two)
    infrared ── shared ─┬─ base ───┘ │        detail = detail_fuse(sum of the two)
                        └─ detail ───┘        fused  = sigmoid(decoder(base, detail) + skip)

Source: Zhao et al., "CDDFuse: Correlation-Driven Dual-Branch Feature Decomposition for Multi-Modality Image Fusion",
CVPR 2023, as the authors' code computes it. Its attention is over channels, with norms over all pixels: tiles would
change the result.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .config import PeerConfig
from .padding import at_least, check_pair

WIDTH, HEADS, BLOCKS = 64, 8, 4
LEAST = 2  # pixels of a side, that some blocks mirror
SKIPS = ("visible", "sum", "none")


class CDDFuse(nn.Module):
    """Encoder, two fusion layers and decoder; 1,188,272 parameters.

    Args:
        skip: what the decoder's output is added to: "visible", the "sum" of both images, or "none".
        stretch: each fused image stretched to [0, 1], as at the authors' test time; left out where training.
    """

    whole_images_only = True  # its normalisation and attention are over the whole image

    def __init__(self, skip: str = "visible", stretch: bool = True) -> None:
        super().__init__()
        if skip not in SKIPS:
            raise ValueError(f"skip: found {skip!r}, expected one of {', '.join(SKIPS)}")
        if type(stretch) is not bool:
            raise ValueError(f"stretch: found {stretch!r}, expected a truth value")
        self.skip, self.stretch = skip, stretch
        self.encoder, self.decoder = Encoder(), Decoder()
        self.base_fuse, self.detail_fuse = dense_block(), nn.Sequential(CouplingNode())

    @property
    def config(self) -> PeerConfig:
        """For checkpoints."""
        return PeerConfig("cddfuse", {"skip": self.skip, "stretch": self.stretch})

    def forward(self, visible: Tensor, infrared: Tensor) -> Tensor:
        """Fuse (B, 1, H, W) in [0, 1]; MRI in the place of visible, CT, PET or SPECT in that of infrared."""
        check_pair(self, visible, infrared)
        height, width = visible.shape[-2:]
        visible, infrared = at_least(LEAST, visible, infrared)
        fused = self.decode(visible, infrared, self.encoder(visible), self.encoder(infrared))[..., :height, :width]
        return stretched(fused) if self.stretch and not self.training else fused

    def decode(self, visible: Tensor, infrared: Tensor, *features: tuple[Tensor, Tensor]) -> Tensor:
        """The fused image, not stretched, from (base, detail) of both images."""
        (base_v, detail_v), (base_i, detail_i) = features
        skip = {"visible": visible, "sum": visible + infrared, "none": None}[self.skip]
        return self.decoder(skip, self.base_fuse(base_v + base_i), self.detail_fuse(detail_v + detail_i))


class Encoder(nn.Module):
    """(B, 1, H, W) -> base and detail features, (B, 64, H, W) each."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv2d(1, WIDTH, 3, padding=1, bias=False)
        self.shared = nn.Sequential(*(light_block() for _ in range(BLOCKS)))
        self.base = dense_block()
        self.detail = nn.Sequential(*(CouplingNode() for _ in range(3)))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        shared = self.shared(self.embed(image))
        return self.base(shared), self.detail(shared)


class Decoder(nn.Module):
    """Base and detail features, and an image that the result is added to before the sigmoid -> (B, 1, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(2 * WIDTH, WIDTH, 1, bias=False)
        self.blocks = nn.Sequential(*(light_block() for _ in range(BLOCKS)))
        self.output = nn.Sequential(
            nn.Conv2d(WIDTH, WIDTH // 2, 3, padding=1, bias=False),
            nn.LeakyReLU(),
            nn.Conv2d(WIDTH // 2, 1, 3, padding=1, bias=False),
        )

    def forward(self, skip: Tensor | None, base: Tensor, detail: Tensor) -> Tensor:
        image = self.output(self.blocks(self.reduce(torch.cat((base, detail), 1))))
        return torch.sigmoid(image if skip is None else image + skip)


class TransformerBlock(nn.Module):
    """Attention over channels, then a gated mixing of them, each added to its input.

    Args:
        spread: groups of the 3x3 convolution that makes queries, keys and values.
        hidden: channels of the gate and what it gates together.
        hidden_groups: groups of their 3x3 convolution.
    """

    def __init__(self, spread: int, hidden: int, hidden_groups: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = LayerNorm(), LayerNorm()
        self.temperature = nn.Parameter(torch.ones(HEADS, 1, 1))
        self.qkv = nn.Sequential(
            nn.Conv2d(WIDTH, 3 * WIDTH, 1, bias=False),
            nn.Conv2d(3 * WIDTH, 3 * WIDTH, 3, padding=1, groups=spread, bias=False),
        )
        self.project = nn.Conv2d(WIDTH, WIDTH, 1, bias=False)
        self.mix = nn.Sequential(
            nn.Conv2d(WIDTH, hidden, 1, bias=False),
            nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden_groups, bias=False),
        )
        self.unmix = nn.Conv2d(hidden // 2, WIDTH, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.project(self._attention(self.norm1(x)))
        gate, value = self.mix(self.norm2(x)).chunk(2, dim=1)
        return x + self.unmix(functional.gelu(gate) * value)

    def _attention(self, x: Tensor) -> Tensor:
        batch, _, height, width = x.shape
        heads = (batch, HEADS, WIDTH // HEADS, height * width)
        q, k, v = (part.reshape(heads) for part in self.qkv(x).chunk(3, dim=1))
        q, k = (functional.normalize(part, dim=-1) for part in (q, k))
        weights = (q @ k.transpose(-2, -1) * self.temperature).softmax(dim=-1)
        return (weights @ v).reshape(batch, WIDTH, height, width)


def light_block() -> TransformerBlock:
    """Of the shared encoder and the decoder: depth-wise convolutions."""
    return TransformerBlock(spread=3 * WIDTH, hidden=4 * WIDTH, hidden_groups=4 * WIDTH)


def dense_block() -> TransformerBlock:
    """Of the base features: full convolutions of queries, keys and values, a narrower mixing."""
    return TransformerBlock(spread=1, hidden=2 * WIDTH, hidden_groups=WIDTH)


class LayerNorm(nn.Module):
    """Over the channels of each pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(WIDTH)), nn.Parameter(torch.zeros(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        return functional.layer_norm(x.movedim(1, -1), (WIDTH,), self.weight, self.bias).movedim(-1, 1)


class CouplingNode(nn.Module):
    """Channels mixed, then one half changed by the other and the other by the changed one."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(WIDTH, WIDTH, 1)
        self.phi, self.rho, self.eta = (bottleneck() for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.mix(x).chunk(2, dim=1)
        second = second + self.phi(first)
        first = first * torch.exp(self.rho(second)) + self.eta(second)
        return torch.cat((first, second), 1)


def bottleneck() -> nn.Sequential:
    """32 channels through 64 and back."""
    half = WIDTH // 2
    return nn.Sequential(
        nn.Conv2d(half, WIDTH, 1, bias=False),
        nn.ReLU6(),
        nn.Conv2d(WIDTH, WIDTH, 3, padding=1, padding_mode="reflect", groups=WIDTH, bias=False),
        nn.ReLU6(),
        nn.Conv2d(WIDTH, half, 1, bias=False),
    )


def stretched(image: Tensor) -> Tensor:
    """Each (C, H, W) of a batch to [0, 1]; a constant one to 0."""
    low, high = image.amin((1, 2, 3), keepdim=True), image.amax((1, 2, 3), keepdim=True)
    return (image - low) / (high - low).clamp_min(torch.finfo(image.dtype).tiny)
