"""Networks and images for the benchmarks."""

import argparse
import re
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from data.simulate import spectral_response
from models import DCINN, dcinn_hmf, dcinn_ivf, dcinn_ps, load_pretrained

BUILD = {
    "ps": (lambda: dcinn_ps(8), (8, 1)),
    "hmf": (lambda: dcinn_hmf(srf=spectral_response()), (31, 3)),
    "ivf": (lambda: dcinn_ivf("max"), (1, 1)),
}


def stirred(build: Callable[[], DCINN], device: str) -> DCINN:
    """Return a random network in evaluation mode in which no part is zero or the identity.

    Its convolution exponentials have norms like trained ones.
    """
    torch.manual_seed(0)
    model = build()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("kernel"):
                parameter.normal_().mul_(0.6 / (parameter.shape[0] * 25) ** 0.5)
            elif name.endswith("conv_out.weight"):
                parameter.normal_().mul_(0.3 / parameter[0].numel() ** 0.5)
    return model.to(device).eval()


def network(task: str, weights: str | None, device: str) -> DCINN:
    """Return the network of a file or of a name in pretrained/; for None a network of `stirred`."""
    return load_pretrained(weights, task=task, device=device) if weights else stirred(BUILD[task][0], device)


def images(task: str, batch: int, size: tuple[int, int], device: str) -> tuple[Tensor, Tensor]:
    """Return smooth random images for a task: base image and guide, (batch, C, *size)."""
    torch.manual_seed(1)
    coarse = [torch.rand(batch, c, *(-(-side // 8) for side in size), device=device) for c in BUILD[task][1]]
    a, b = (functional.interpolate(x, size=size, mode="bilinear") for x in coarse)
    return a, b


def image_size(text: str) -> tuple[int, int]:
    """Return (height, width) of "480" or "480x640", for argparse."""
    match = re.fullmatch(r"([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?", text)
    if not match:
        raise argparse.ArgumentTypeError(f"found {text[:40]}, expected a side in pixels, or HEIGHTxWIDTH")
    return int(match[1]), int(match[2] or match[1])


def task_weights(text: str) -> tuple[str, str]:
    """Return (task, file) of "TASK=FILE", for argparse."""
    task, _, path = text.partition("=")
    if task not in BUILD or not path:
        raise argparse.ArgumentTypeError(f"found {text[:80]}, expected ps=FILE, hmf=FILE or ivf=FILE")
    return task, path
