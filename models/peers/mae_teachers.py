"""The teachers of DeFusion++'s second stage: frozen encoders of masked autoencoders (MAE, He et al., CVPR 2022)."""

from torch import Tensor, nn

from .vit import Encoder

WIDTH, HEADS, DEPTH = 768, 12, 12


class Teacher(nn.Module):
    """MAE's ViT-B/16 without masking: (B, 3, 224, 224) in [0, 1] -> tokens (B, 197, 768) after the last norm."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder(WIDTH, [HEADS] * DEPTH)
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> Tensor:
        return self.encoder.norm(self.encoder(image)[-1])
