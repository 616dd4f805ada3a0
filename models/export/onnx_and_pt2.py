"""Export of DCINN networks to ONNX and to PyTorch's ExportedProgram.

    task | inputs                                                 | output
    ps   | lms (N, bands, H, W), pan (N, 1, H, W)                 | fused (N, bands, H, W)
    hmf  | hsi_up (N, bands, H, W), guide (N, guide_bands, H, W)  | fused (N, bands, H, W)
    ivf  | visible (N, 1, H, W), infrared (N, 1, H, W)            | fused (N, 1, H, W)

All tensors are float32, inputs in [0, 1]; the output is not clamped, as in `DCINN.forward`. Any N, H and W work:
padding and cropping are gathers whose indices the graph computes from the input's sides. The trace is of the plain
network: no strips of rows, no compiled code, no cache between calls, and the convolution exponential sums a fixed
number of terms.

ONNX files are written by PyTorch's TorchScript exporter. Its exporter by torch.export gives the same numbers, but is
fifteen times slower and needs one more package, whose version must fit PyTorch's.
"""

import copy
import io
import json
import warnings
from collections.abc import Callable, Sequence
from types import ModuleType

import torch
from torch import Tensor, nn
from torch.export import Dim

from ..config import DCINNConfig
from ..dcinn import DCINN
from .onnx_folding import folded

INPUTS = {"ps": ("lms", "pan"), "hmf": ("hsi_up", "guide"), "ivf": ("visible", "infrared")}
OUTPUT = "fused"
AXES = {0: "batch", 2: "height", 3: "width"}
OPSET = 18  # the exporter's default since PyTorch 2.6
TRACED = (2, 37, 43)  # N, H, W of the example; nothing in the graph depends on it
SIZES = ((1, 40, 48), (3, 33, 21), (1, 7, 30))  # N, H, W of the images that files are checked with
SEVERAL = 64  # largest relative difference in units of float32's epsilon: 7.6e-6


class ExportError(ValueError):
    """A network cannot be exported, or a package is missing. The message is one line: what was found and expected."""


class AnySize(nn.Module):
    """`DCINN.forward` without branches on height and width, because a trace keeps only the branch that it takes.

    Args:
        model: the network, in evaluation mode.
    """

    def __init__(self, model: DCINN) -> None:
        super().__init__()
        self.model = model

    def forward(self, base_image: Tensor, guide: Tensor) -> Tensor:
        """Return the fused image (N, bands, H, W) of (N, bands, H, W) and (N, guide_bands, H, W)."""
        model = self.model
        images = torch.cat((base_image, guide), dim=1)  # a guide of another size fails here
        height, width = images.shape[-2:]
        images = self._reflected(self._reflected(images, -2), -1)
        a, b = images.split(_channels(model), dim=1)
        base, detail = model.decomposition(a, b)
        fused = base + model.flow(detail, model.anet(a, b))
        for axis, side in ((-2, height), (-1, width)):
            fused = fused.index_select(axis, torch.arange(side, device=fused.device))
        return fused

    def _reflected(self, image: Tensor, axis: int) -> Tensor:
        """Extend one axis at its end to the network's side, as `DCINN` does: reflected, or replicated if too small."""
        side, multiple = image.shape[axis], self.model.multiple
        blocks, least = (side + multiple - 1) // multiple, self.model.least // multiple
        blocks = blocks.clamp(min=least) if isinstance(blocks, Tensor) else torch.sym_max(blocks, least)
        position = torch.arange(multiple * blocks, device=image.device)
        replicated = position.clamp(max=side - 1)
        reflected = 2 * replicated - position
        return image.index_select(axis, torch.where(reflected[-1:] < 0, replicated, reflected))


def about(config: DCINNConfig) -> dict[str, str]:
    """Return the metadata of an exported file, "dcinn.NAME" -> value: task, bands, rules, inputs, range, layout."""
    said = {
        "task": config.task,
        "bands": config.bands,
        "guide_bands": config.guide_bands,
        "base_rule": config.base_rule,
        "detail_rule": config.detail_rule if config.task == "ivf" else None,
        "without": config.without,
        "srf": json.dumps(config.srf) if config.srf else None,
        "terms": config.terms,
        "inputs": ",".join(INPUTS[config.task]),
        "output": OUTPUT,
        "range": "[0, 1], the output not clamped",
        "layout": "float32, N,C,H,W; any N, H and W",
    }
    return {f"dcinn.{name}": str(value) for name, value in said.items() if value is not None}


def to_program(model: DCINN) -> bytes:
    """Return the content of a .pt2 file for `torch.export.load`; its extra file dcinn.json holds `about`.

    Args:
        model: the network; it is not changed.

    Raises:
        ExportError: if the network is `exact`, because its number of terms depends on the image.
    """
    network, example = _plain(model)
    axes = {axis: Dim(name) for axis, name in AXES.items()}
    with torch.enable_grad():
        program = torch.export.export(network, example, dynamic_shapes=(axes, axes), strict=False)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of the machine that made the file
    buffer = io.BytesIO()
    torch.export.save(program, buffer, extra_files={"dcinn.json": json.dumps(about(model.config))})
    return buffer.getvalue()


def to_onnx(model: DCINN) -> bytes:
    """Return the content of an .onnx file: opset 18, weights included, `about` as its metadata.

    Args:
        model: the network; it is not changed.

    Raises:
        ExportError: if the network is `exact`, see `to_program`, or the package onnx is not installed.
    """
    onnx = onnx_package()
    network, example = _plain(model)
    names = INPUTS[model.config.task]
    buffer = io.BytesIO()
    with torch.enable_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            example,
            buffer,  # type: ignore[arg-type]  # the annotation is for the exporter by torch.export
            dynamo=False,
            input_names=names,
            output_names=(OUTPUT,),
            dynamic_axes=dict.fromkeys((*names, OUTPUT), AXES),
            opset_version=OPSET,
        )
    proto = folded(onnx.load_from_string(buffer.getvalue()))
    shape = proto.graph.output[0].type.tensor_type.shape
    shape.dim[1].dim_value = model.config.bands  # shape inference has lost it
    said = about(model.config)
    onnx.helper.set_model_props(proto, said)
    proto.doc_string = f"DCINN, {model.config.task}: {', '.join(names)} -> {OUTPUT}, {said['dcinn.range']}"
    onnx.checker.check_model(proto)
    return proto.SerializeToString()


def _plain(model: DCINN) -> tuple[AnySize, tuple[Tensor, Tensor]]:
    """Return a copy of the network in evaluation mode on the CPU, and two example images to trace it with."""
    if model.exact:
        raise ExportError("found an exact network, with as many terms as needed, expected a fixed number (--terms)")
    model = copy.deepcopy(model).eval().to("cpu", torch.float32).requires_grad_(False)
    n, height, width = TRACED
    a, b = (torch.rand(n, c, height, width) for c in _channels(model))
    return AnySize(model), (a, b)


def _channels(model: DCINN) -> tuple[int, int]:
    return model.config.bands, model.config.guide_bands


def onnx_package() -> ModuleType:
    """Return the package onnx. Raises ExportError if it is not installed."""
    try:
        import onnx  # noqa: PLC0415
    except ImportError:
        raise ExportError("found no package onnx, expected it: pip install onnx") from None
    return onnx


def open_program(content: bytes) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the function (base image, guide) -> fused image that a .pt2 file's content holds."""
    return torch.export.load(io.BytesIO(content)).module()


def open_onnx(content: bytes) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the function (base image, guide) -> fused image of an .onnx file's content, run by onnxruntime on the CPU.

    Raises:
        ImportError: if onnxruntime is not installed.
    """
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]

    def fuse(*images: Tensor) -> Tensor:
        given = {name: image.numpy() for name, image in zip(names, images, strict=True)}
        return torch.from_numpy(session.run([OUTPUT], given)[0])

    return fuse


def difference(
    model: DCINN, fuse: Callable[[Tensor, Tensor], Tensor], sizes: Sequence[tuple[int, int, int]] = SIZES
) -> float:
    """Return the largest relative difference between an exported graph and its network, on images of uniform noise.

    The relative difference for one image size is the largest absolute difference divided by the largest absolute value
    of the network's result.

    Args:
        model: the network, on the CPU, float32, in evaluation mode.
        fuse: the exported graph, from `open_onnx` or `open_program`.
        sizes: N, H, W of the images.

    Raises:
        ExportError: if the difference is 7.6e-6 or more, or the shapes differ.
    """
    found = 0.0
    generator = torch.Generator().manual_seed(0)
    for n, height, width in sizes:
        images = [torch.rand(n, c, height, width, generator=generator) for c in _channels(model)]
        with torch.no_grad():
            expected, given = model(*images), fuse(*images)
        if expected.shape != given.shape:
            raise ExportError(f"found {tuple(given.shape)} from the exported graph, expected {tuple(expected.shape)}")
        found = max(found, float((given - expected).abs().max() / expected.abs().max()))
    if not found < SEVERAL * torch.finfo(torch.float32).eps:
        raise ExportError(f"found a difference of {found:.2g} from PyTorch's result, expected less than 7.6e-6")
    return found
