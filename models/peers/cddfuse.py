"""CDDFuse: one encoder extracts base and detail features of both images; two layers fuse them, a decoder follows.

    visible  ── shared ─┬─ base ───┐
                        └─ detail ─┼─┐        base   = base_fuse(sum of the two)
    infrared ── shared ─┬─ base ───┘ │        detail = detail_fuse(sum of the two)
                        └─ detail ───┘        fused  = sigmoid(decoder(base, detail) + skip)

Source: Zhao et al., "CDDFuse: Correlation-Driven Dual-Branch Feature Decomposition for Multi-Modality Image Fusion",
CVPR 2023, as the authors' code computes it. Attention is over channels, and its queries and keys are normalised over
all pixels, so fusing in tiles would change the result.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .config import PeerConfig
from .padding import at_least, check_pair

WIDTH, HEADS, BLOCKS = 64, 8, 4
LEAST = 2  # least side in pixels, because some blocks reflect the border
SKIPS = ("visible", "sum", "none")


class CDDFuse(nn.Module):
    """CDDFuse: encoder, two fusion layers and decoder; 1,188,272 parameters.

    Args:
        skip: the image that is added to the decoder's output: "visible", the "sum" of both images, or "none".
        stretch: stretch each fused image to [0, 1], as the authors do when testing; never done in training mode.
    """

    whole_images_only = True  # normalisation and attention are over the whole image

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
        """The configuration that a checkpoint stores."""
        return PeerConfig("cddfuse", {"skip": self.skip, "stretch": self.stretch})

    def forward(self, visible: Tensor, infrared: Tensor) -> Tensor:
        """Return the fused image (B, 1, H, W) of two images (B, 1, H, W), all in [0, 1].

        For medical pairs, MRI takes the place of visible, and CT, PET or SPECT that of infrared.
        """
        check_pair(self, visible, infrared)
        height, width = visible.shape[-2:]
        visible, infrared = at_least(LEAST, visible, infrared)
        fused = self.decode(visible, infrared, self.encoder(visible), self.encoder(infrared))[..., :height, :width]
        return stretched(fused) if self.stretch and not self.training else fused

    def decode(self, visible: Tensor, infrared: Tensor, *features: tuple[Tensor, Tensor]) -> Tensor:
        """Return the fused image (B, 1, H, W), not stretched.

        Args:
            visible, infrared: (B, 1, H, W).
            features: the encoder's (base, detail) features of the visible image, then of the infrared image.
        """
        (base_v, detail_v), (base_i, detail_i) = features
        skip = {"visible": visible, "sum": visible + infrared, "none": None}[self.skip]
        return self.decoder(skip, self.base_fuse(base_v + base_i), self.detail_fuse(detail_v + detail_i))


class Encoder(nn.Module):
    """(B, 1, H, W) -> base features and detail features, each (B, 64, H, W)."""

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
    """Base and detail features (B, 64, H, W) -> image (B, 1, H, W); `skip`, if any, is added before the sigmoid."""

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
    """Attention over channels, then a gated feed-forward part; each is added to its input, (B, 64, H, W).

    Args:
        spread: groups of the 3x3 convolution for queries, keys and values.
        hidden: channels of the gate and of the gated values, together.
        hidden_groups: groups of the 3x3 convolution on the hidden channels.
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
    """Return a block of the shared encoder and of the decoder, with depth-wise convolutions."""
    return TransformerBlock(spread=3 * WIDTH, hidden=4 * WIDTH, hidden_groups=4 * WIDTH)


def dense_block() -> TransformerBlock:
    """Return a block for base features: full convolutions for queries, keys and values, fewer hidden channels."""
    return TransformerBlock(spread=1, hidden=2 * WIDTH, hidden_groups=WIDTH)


class LayerNorm(nn.Module):
    """Layer norm over the channels of each pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(WIDTH)), nn.Parameter(torch.zeros(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        return functional.layer_norm(x.movedim(1, -1), (WIDTH,), self.weight, self.bias).movedim(-1, 1)


class CouplingNode(nn.Module):
    """Mixes the channels, shifts their second half by the first, then scales and shifts the first by the second."""

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
    """Return a bottleneck: 32 channels are expanded to 64, filtered depth-wise, and reduced to 32."""
    half = WIDTH // 2
    return nn.Sequential(
        nn.Conv2d(half, WIDTH, 1, bias=False),
        nn.ReLU6(),
        nn.Conv2d(WIDTH, WIDTH, 3, padding=1, padding_mode="reflect", groups=WIDTH, bias=False),
        nn.ReLU6(),
        nn.Conv2d(WIDTH, half, 1, bias=False),
    )


def stretched(image: Tensor) -> Tensor:
    """Return a batch (B, C, H, W) with each image stretched to [0, 1]; a constant image becomes 0."""
    low, high = image.amin((1, 2, 3), keepdim=True), image.amax((1, 2, 3), keepdim=True)
    return (image - low) / (high - low).clamp_min(torch.finfo(image.dtype).tiny)
