"""The small parts of the DCINN networks: Haar, ActNorm, squeeze-excite, residual block, gate, subnet.

Source: the released networks of Wang, Deng, Ran, Vivone, IJCV 132 (2024). Where the printed paper differs, the
docstring of the part mentions it. Tensors are (B, C, H, W).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .fast import strips
from .fast.reflect_conv import ReflectConv
from .invertible import Invertible


class Haar(Invertible):
    """2x2 Haar analysis, stride 2: (B, C, H, W) -> (B, 4C, H/2, W/2), H and W even. The inverse is the synthesis.

    With the 2x2 block [[p, q], [r, s]] the subbands are, each divided by 4,
        p+q+r+s,  p-q+r-s,  p+q-r-s,  p-q-r+s
    and the output is subband-major: channel = subband * C + c. The inverse has the same signs, undivided.
    """

    def forward(self, x: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        p, q = x[..., 0::2, 0::2], x[..., 0::2, 1::2]
        r, s = x[..., 1::2, 0::2], x[..., 1::2, 1::2]
        return torch.cat((p + q + r + s, p - q + r - s, p + q - r - s, p - q - r + s), dim=1) / 4

    def inverse(self, y: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        a, b, c, d = y.chunk(4, dim=1)
        top, bottom, left, right = a + b, c + d, a - b, c - d
        if torch.compiler.is_compiling() or torch.jit.is_tracing():  # avoids four scatters in the graph
            x = torch.stack((top + bottom, left + right, top - bottom, left - right), dim=2)
            return functional.pixel_shuffle(x.flatten(1, 2), 2).contiguous(memory_format=torch.channels_last)
        x = y.new_empty((y.shape[0], y.shape[1] // 4, 2 * y.shape[2], 2 * y.shape[3]))
        x = x.contiguous(memory_format=torch.channels_last)
        x[..., 0::2, 0::2], x[..., 0::2, 1::2] = top + bottom, left + right  # p, q
        x[..., 1::2, 0::2], x[..., 1::2, 1::2] = top - bottom, left - right  # r, s
        return x


class ActNorm(Invertible):
    """y = scale * (x + loc) per channel (Kingma and Dhariwal, 2018), initialised from the first training batch.

    The first forward pass in training mode sets loc = -mean and scale = 1 / (std + 1e-6) over (B, H, W), std being
    the sample standard deviation. Until then, in evaluation mode too, the layer is the identity.

    Attributes:
        initialized: 1 once loc and scale have been set from a batch, else 0; stored in the state dictionary.
        begun: True after the first training pass since the last loading. It exists because reading `initialized` back
            from a GPU in every step would make the step wait for the GPU.
    """

    initialized: Tensor
    begun = False

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.loc = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.scale = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.register_buffer("initialized", torch.tensor(0, dtype=torch.uint8))

    @torch.no_grad()
    def _start(self, x: Tensor) -> None:
        """Set loc and scale from this batch, unless `initialized` is 1."""
        x = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        done = self.initialized > 0
        self.loc.copy_(torch.where(done, self.loc, -x.mean(dim=(0, 2, 3), keepdim=True)))
        self.scale.copy_(torch.where(done, self.scale, 1 / (x.std(dim=(0, 2, 3), keepdim=True) + 1e-6)))
        self.initialized.fill_(1)

    def _load_from_state_dict(self, *given: Any) -> None:  # noqa: ANN401  PyTorch's own arguments
        super()._load_from_state_dict(*given)
        self.begun = False

    def forward(self, x: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        if self.training and not self.begun:
            self._start(x)
            self.begun = True
        return self.scale * (x + self.loc)

    def inverse(self, y: Tensor, conditions: tuple[Tensor, ...] = ()) -> Tensor:
        return y / self.scale - self.loc


class SqueezeExcite(nn.Module):
    """Channel attention (Hu et al., 2018): spatial mean, two 1x1 convolutions, a sigmoid, a product with the input.

    Args:
        channels: C.
        reduction: C divided by the channels between the two convolutions.

    Attributes:
        pooling: maps x to (B, C, 1, 1) in place of the spatial mean, see `scene_pooling`; None is the mean.
    """

    pooling: Callable[[Tensor], Tensor] | None = None

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // reduction, 1)
        self.excite = nn.Conv2d(channels // reduction, channels, 1)

    def weights(self, x: Tensor) -> Tensor:
        """Return the factors of the channels, (B, C, 1, 1), in (0, 1)."""
        pooled = x.mean(dim=(2, 3), keepdim=True) if self.pooling is None else self.pooling(x)
        return torch.sigmoid(self.excite(torch.relu(self.squeeze(pooled))))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weights(x)


class Residual(nn.Module):
    """x + SE(conv(LeakyReLU_0.2(conv(x)))), C -> C, both convolutions 3x3 with reflection."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.conv1 = ReflectConv(channels, channels)
        self.conv2 = ReflectConv(channels, channels)
        self.se = SqueezeExcite(channels, reduction)

    def inner(self, x: Tensor) -> Tensor:
        """Return the input (B, C, H, W) of squeeze-excite; an output pixel depends on input up to two pixels away."""
        return self.conv2(self.conv1(x, slope=0.2))

    def forward(self, x: Tensor) -> Tensor:
        y = self.inner(x)
        return torch.addcmul(x, y, self.se.weights(y))


class ChannelNorm(nn.Module):
    """Layer norm over the channels of each pixel; weight AND bias start at one, as in the released networks."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        # With channels_last memory, as DCINN uses, the permutations copy nothing.
        normal = functional.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, 1e-5)
        return normal.permute(0, 3, 1, 2)


class Gate(nn.Module):
    """x + O(G(n) * Q(n)), 1x1 convolutions C -> 2C -> C without bias; n is ChannelNorm(x) if `normalize`, else x.

    The paper names the GELU-gated depth-wise network of Restormer; the released networks compute this plain product.
    """

    def __init__(self, channels: int, normalize: bool) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels) if normalize else nn.Identity()
        self.g = nn.Conv2d(channels, 2 * channels, 1, bias=False)
        self.q = nn.Conv2d(channels, 2 * channels, 1, bias=False)
        self.o = nn.Conv2d(2 * channels, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        n = self.norm(x)
        if torch.is_grad_enabled():
            return x + self.o(self.g(n) * self.q(n))
        return self.o(self.g(n).mul_(self.q(n))).add_(x)


class Subnet(nn.Module):
    """The network inside a coupling (its F, G and H): (B, c_in, H, W) -> (B, c_out, H, W).

    Its parts are a convolution, a gate, a residual block and a convolution. The last convolution is initialised with
    zeros, so a fresh F or G adds nothing. The first convolution and the residual block are initialised Xavier-normal
    times 0.1 with zero biases; the gate keeps PyTorch's default initialisation.

    Args:
        c_in, c_out: channels of input and output.
        width: channels between the two outer convolutions.
        reduction: see `SqueezeExcite`.
        normalize: see `Gate`.
    """

    def __init__(self, c_in: int, c_out: int, width: int, reduction: int, normalize: bool) -> None:
        super().__init__()
        self.conv_in = ReflectConv(c_in, width)
        self.gate = Gate(width, normalize)
        self.res = Residual(width, reduction)
        self.conv_out = ReflectConv(width, c_out)
        for conv in (self.conv_in, *(m for m in self.res.modules() if isinstance(m, nn.Conv2d))):
            nn.init.xavier_normal_(conv.weight)
            conv.weight.data *= 0.1
            assert conv.bias is not None
            nn.init.zeros_(conv.bias)
        for parameter in self.conv_out.parameters():
            nn.init.zeros_(parameter)

    def forward(self, *parts: Tensor, spread: bool = False) -> Tensor:
        """Return the output for the parts concatenated to (B, c_in, H, W); `spread` first maps them to 2 x - 1."""
        if strips.pay(parts[0], self.conv_in.out_channels):
            return strips.subnet(self, parts, spread)
        x = torch.cat(parts, dim=1)  # (B, c_in, H, W)
        x = self.gate(self.conv_in(2 * x - 1 if spread else x))  # (B, width, H, W)
        return self.conv_out(self.res(x))  # (B, c_out, H, W)
