"""Runs the exported network in other runtimes, if they are installed: onnxruntime and OpenVINO."""

import functools
from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import Tensor

from models import DCINN
from models.export import open_onnx, to_onnx

Fuse = Callable[[Tensor, Tensor], Tensor]


def _openvino(content: bytes) -> Fuse:
    import openvino  # noqa: PLC0415  not in requirements.txt

    core = openvino.Core()
    options = {"INFERENCE_NUM_THREADS": torch.get_num_threads(), "INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(content), "CPU", options)
    return lambda a, b: torch.from_numpy(compiled([a.numpy(), b.numpy()])[0])


RUNTIMES = {"onnxruntime": open_onnx, "openvino": _openvino}


def runtimes(model: DCINN) -> dict[str, Fuse]:
    """Return runtime -> function (base image, guide) -> fused image, on the CPU; empty without the package onnx."""
    opened = {name: build for name, build in RUNTIMES.items() if find_spec(name)}
    if not opened or not find_spec("onnx"):
        return {}
    content = to_onnx(model)
    return {name: build(content) for name, build in opened.items()}


def calls(model: DCINN, a: Tensor, b: Tensor) -> dict[str, Callable[[], Tensor]]:
    """Return runtime -> function without arguments that returns the fused image of a and b."""
    return {name: functools.partial(fuse, a.contiguous(), b.contiguous()) for name, fuse in runtimes(model).items()}
