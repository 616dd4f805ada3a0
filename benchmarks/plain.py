"""The three networks in the most direct form, as the reference for equal results and for speed.

The convolution exponential is ten convolutions in a loop, the layer norm is between two permutations, the three subnets
run one after the other, and autograd does all gradients. Weights have the names of the released files, see
`models.weights.author_names.to_released`. Only benchmarks and tests use this file.
"""

import torch
from torch import Tensor
from torch.nn import functional

from models import DCINN
from models.decomposition import TAPS, GaussianDecomposition
from models.weights.author_names import to_released

HAAR = ((1, 1, 1, 1), (1, -1, 1, -1), (1, 1, -1, -1), (1, -1, -1, 1))


class PlainGaussian(GaussianDecomposition):
    """The decomposition of ivf with its low-pass as one two-dimensional convolution."""

    def low_pass(self, image: Tensor) -> Tensor:
        """Return the low-pass (B, 1, H, W) of an image (B, 1, H, W)."""
        taps = torch.tensor(TAPS, dtype=torch.float64)
        return functional.conv2d(image, torch.outer(taps, taps).to(image)[None, None], padding=5)


class PlainDCINN:
    """Computes the same function as a DCINN, with the same weights.

    Args:
        model: the DCINN. Its weights are copied, as leaves with gradients. Its decomposition, which has no weights, is
            shared, except that the low-pass of ivf is one convolution here.

    Attributes:
        weights: released name -> tensor.
    """

    def __init__(self, model: DCINN) -> None:
        self.config, self.decomposition = model.config, model.decomposition
        if self.config.task == "ivf":
            self.decomposition = PlainGaussian(self.config.base_rule, self.config.detail_rule)
        device = next(model.parameters()).device
        self.weights = {name: value.clone().to(device) for name, value in to_released(model).items()}
        for value in self.weights.values():
            value.requires_grad_(value.is_floating_point())
        self.prefix = "inn." if self.config.task == "ivf" else ""
        self.low = [f"{self.prefix}operations.{i}" for i in range(self.config.low_blocks)]

    def __call__(self, base_image: Tensor, guide: Tensor) -> Tensor:
        """Return the fused image (B, C, H, W) of images whose sides need no padding."""
        base, detail = self.decomposition(base_image, guide)
        return base + self.flow(detail, self.conditions(base_image, guide))

    def conditions(self, base_image: Tensor, guide: Tensor) -> list[Tensor]:
        """Return the conditions of ANet, one tensor per scale."""

        def half(x: Tensor) -> Tensor:
            return functional.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False)

        t = self.rconv(torch.cat((base_image, guide), 1), "c_net.in_conv")
        for i in range(2):
            t = self.res(t, f"c_net.df.{i}")
        if self.config.task == "ivf":
            t2 = half(t)
            t4 = half(t2)
            m3 = half(self.rconv(t4, "c_net.tail3"))
            return [self.rconv(t2, "c_net.tail1"), self.rconv(t4, "c_net.tail2"), m3]
        tail = functional.pad(self.conv(t, "c_net.tail"), (1, 1, 1, 1), mode="reflect")
        return [self.rconv(t, "c_net.tailh"), half(tail)]

    def flow(self, x: Tensor, m: list[Tensor]) -> Tensor:
        """Return the residual of CINN for the detail x under the conditions m."""
        p = self.prefix
        if self.config.task == "ivf":
            x = self.block(self.haar(x), f"{p}inv_in1", m[0], 2)
            x = self.block(self.haar(x), f"{p}inv_in2", m[1], 8)
            x = self.haar(x)
            for name in self.low:
                x = self.block(x, name, m[2], 32)
            x = self.block(self.haar_back(x), f"{p}inv_out2", m[1], 8)
            x = self.block(self.haar_back(x), f"{p}inv_out1", m[0], 2)
            return self.haar_back(x)
        split = self.config.bands // 2
        x = self.haar(self.block(x, "inv_in", m[0], split))
        for name in self.low:
            x = self.block(x, name, m[1], 4 * split)
        return self.block(self.haar_back(x), "inv_out", m[0], split)

    def flow_inverse(self, y: Tensor, m: list[Tensor]) -> Tensor:
        """Return the detail of CINN^-1 for the residual y under the conditions m, for ps and hmf."""
        split = self.config.bands // 2
        y = self.haar(self.block_inverse(y, "inv_out", m[0], split))
        for name in reversed(self.low):
            y = self.block_inverse(y, name, m[1], 4 * split)
        return self.block_inverse(self.haar_back(y), "inv_in", m[0], split)

    def block(self, x: Tensor, name: str, m: Tensor, split: int) -> Tensor:
        """Apply ActNorm, convolution exponential and affine coupling; `split` is the size of the first half."""
        w = self.weights
        if f"{name}.norm.loc" in w:
            x = w[f"{name}.norm.scale"] * (x + w[f"{name}.norm.loc"])
        x = self.conv_exp(x, w[f"{name}.kernel1"])
        x1, x2 = x[:, :split], x[:, split:]
        y1 = x1 + self.subnet(torch.cat((x2, m), 1), f"{name}.F")
        known = torch.cat((y1, m), 1)
        y2 = x2 * torch.exp(self.log_scale(known, name)) + self.subnet(known, f"{name}.G")
        return torch.cat((y1, y2), 1)

    def block_inverse(self, y: Tensor, name: str, m: Tensor, split: int) -> Tensor:
        """Apply the inverse of `block`."""
        w = self.weights
        y1, y2 = y[:, :split], y[:, split:]
        known = torch.cat((y1, m), 1)
        x2 = (y2 - self.subnet(known, f"{name}.G")) / torch.exp(self.log_scale(known, name))
        x1 = y1 - self.subnet(torch.cat((x2, m), 1), f"{name}.F")
        x = self.conv_exp(torch.cat((x1, x2), 1), -w[f"{name}.kernel1"])
        return x / w[f"{name}.norm.scale"] - w[f"{name}.norm.loc"]

    def log_scale(self, known: Tensor, name: str) -> Tensor:
        """Return s of the coupling, for known = (y1 | m)."""
        if f"{name}.clamp_s" in self.weights:
            return self.weights[f"{name}.clamp_s"] * torch.sigmoid(self.subnet(2 * known - 1, f"{name}.H"))
        return 2 * torch.sigmoid(self.subnet(known, f"{name}.H")) - 1

    def conv_exp(self, x: Tensor, kernel: Tensor) -> Tensor:
        """Return the sum of M^i x / i!."""
        total = term = x
        for i in range(1, self.config.terms + 1):
            term = functional.conv2d(term, kernel, padding=2) / i
            total = total + term
        return total

    def subnet(self, x: Tensor, name: str) -> Tensor:
        """Apply a subnet: F, G or H of a coupling."""
        w = self.weights
        x = self.rconv(x, f"{name}.conv1.1")
        n = x
        if f"{name}.ca.ln.weights" in w:
            n = functional.layer_norm(
                x.permute(0, 2, 3, 1),
                (x.shape[1],),
                w[f"{name}.ca.ln.weights"].flatten(),
                w[f"{name}.ca.ln.bias"].flatten(),
            ).permute(0, 3, 1, 2)
        gated = functional.conv2d(n, w[f"{name}.ca.g.weight"]) * functional.conv2d(n, w[f"{name}.ca.q.weight"])
        x = self.res(x + functional.conv2d(gated, w[f"{name}.ca.o.weight"]), f"{name}.conv2")
        return self.rconv(x, f"{name}.conv3.1")

    def res(self, x: Tensor, name: str) -> Tensor:
        """Apply a residual block: two convolutions and squeeze-excite."""
        y = self.rconv(functional.leaky_relu(self.rconv(x, f"{name}.conv1.1"), 0.2), f"{name}.conv1.4")
        pooled = functional.adaptive_avg_pool2d(y, 1)
        weight = self.conv(torch.relu(self.conv(pooled, f"{name}.se.conv_du.0")), f"{name}.se.conv_du.2")
        return x + y * torch.sigmoid(weight)

    def rconv(self, x: Tensor, name: str) -> Tensor:
        """Apply a 3x3 convolution to the reflected image."""
        return self.conv(functional.pad(x, (1, 1, 1, 1), mode="reflect"), name)

    def conv(self, x: Tensor, name: str) -> Tensor:
        """Apply a convolution with bias."""
        return functional.conv2d(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    @staticmethod
    def haar(x: Tensor) -> Tensor:
        """Return the Haar transform (B, 4C, H/2, W/2) of an image (B, C, H, W), H and W even.

        Channel s C + c is subband s of channel c: the 2x2 pixels weighted by row s of `HAAR`, divided by 4.
        Subband 0 is their mean.
        """
        filters = x.new_tensor(HAAR).reshape(4, 1, 2, 2).repeat(x.shape[1], 1, 1, 1)
        y = functional.conv2d(x, filters, stride=2, groups=x.shape[1]) / 4
        b, _, h, w = y.shape
        return y.reshape(b, -1, 4, h, w).transpose(1, 2).reshape(b, -1, h, w)

    @staticmethod
    def haar_back(y: Tensor) -> Tensor:
        """Return the inverse of `haar`, (B, 4C, H, W) -> (B, C, 2H, 2W)."""
        b, c, h, w = y.shape
        filters = y.new_tensor(HAAR).reshape(4, 1, 2, 2).repeat(c // 4, 1, 1, 1)
        y = y.reshape(b, 4, c // 4, h, w).transpose(1, 2).reshape(b, c, h, w)
        return functional.conv_transpose2d(y, filters, stride=2, groups=c // 4)
