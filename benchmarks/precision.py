"""Measures how many dB bfloat16 costs, and which parts must stay in float32, on scenes with a reference.

    python benchmarks/precision.py --weights FILE --cave CAVE_DIR [--bits N]        hmf
    python benchmarks/precision.py --weights FILE --pan FILE                        ps, Wald's protocol or gt

It runs inference with the same weights in float32, in bfloat16 by autocast (convolutions in bfloat16, sums between them
in float32), and in bfloat16 with one or several parts kept in float32. PSNR is against the reference, on the middle
--side pixels of every scene.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data import CAVE, PanCollection
from data.hyperspectral import CAVE_TEST, fusion_inputs
from data.patches.pansharpening import PanScenePatches
from metrics import psnr
from models import DCINN, load_pretrained
from models.anet import ThreeScaleANet, TwoScaleANet
from models.convexp import ConvExp
from models.layers import Subnet
from utils.commandline.errors import UsageError
from utils.commandline.parser import Parser, bit_depth, positive
from utils.evaluation.parser import evaluation_script

PARTS = {
    "ANet": lambda model: _of(model, (TwoScaleANet, ThreeScaleANet)),
    "convolution exponentials": lambda model: _of(model, ConvExp),
    "exponentials at full scale": lambda model: [model.flow.block_in.conv_exp, model.flow.block_out.conv_exp],
    "the last block's exponential": lambda model: [model.flow.block_out.conv_exp],
    "subnets": lambda model: _of(model, Subnet),
    "full-scale blocks": lambda model: [model.flow.block_in, model.flow.block_out],
}
KEPT = ((), *((part,) for part in PARTS), ("ANet", "convolution exponentials"), ("ANet", "subnets"))


def _of(model: nn.Module, kind: type | tuple[type, ...]) -> list[nn.Module]:
    return [module for module in model.modules() if isinstance(module, kind)]


@contextmanager
def in_float32(modules: list[nn.Module]) -> Iterator[None]:
    """Inside the block, make these modules compute in float32 under autocast."""

    def guarded(function: Callable) -> Callable:
        def call(*inputs: object, **options: object) -> object:
            with torch.autocast("cpu", enabled=False):
                return function(*map(_float, inputs), **options)

        return call

    for module in modules:
        module.forward = guarded(module.forward)
    try:
        yield
    finally:
        for module in modules:
            del module.forward


def _float(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(map(_float, value))
    return value.float() if isinstance(value, Tensor) else value


def scenes(model: DCINN, folder: Path | None, file: Path | None, bits: int | None, side: int) -> Iterator[list]:
    """Yield [base image, guide, reference] of every scene, each (C, side, side) or smaller."""
    if model.config.task == "hmf":
        cave = CAVE(folder, bits=bits)
        for scene in CAVE(folder, tuple(s for s in CAVE_TEST if s in cave.scenes), bits=bits):
            gt = _middle(scene["gt"], side)
            images = fusion_inputs(gt, np.array(model.config.srf, np.float32), 4)
            yield [images["hsi_up"], images["rgb"], gt]
        return
    collection = PanCollection(file, bits=bits)
    if collection.bands != model.config.bands:
        raise UsageError(f"{file}: found {collection.bands} bands, expected {model.config.bands} of the weights")
    for item in collection:
        if collection.has_reference:
            yield [_middle(item[key], side) for key in ("lms", "pan", "gt")]
        else:
            reduced = PanScenePatches(item["ms"], item["pan"][0], sensor=collection.sensor)
            images = {**reduced.images, "pan": reduced.pan}
            yield [_middle(images[key], side) for key in ("lms", "pan", "gt")]


def _middle(image: np.ndarray, side: int) -> np.ndarray:
    top, left = (max(length - side, 0) // 2 // 8 * 8 for length in image.shape[-2:])
    return image[..., top : top + side, left : left + side]


def quality(model: DCINN, images: list[list], kept: tuple[str, ...] | None) -> float:
    """Return the mean PSNR in dB; `kept` are the parts in float32, None is the whole network in float32."""
    modules = [module for part in kept or () for module in PARTS[part](model)]
    values = []
    for base_image, guide, reference in images:
        a, b = (torch.from_numpy(np.ascontiguousarray(x, np.float32))[None] for x in (base_image, guide))
        amp = torch.autocast("cpu", torch.bfloat16, enabled=kept is not None)
        with torch.inference_mode(), amp, in_float32(modules):
            fused = model(a, b)[0].float().numpy()
        values.append(psnr(np.moveaxis(fused, 0, -1), np.moveaxis(reference, 0, -1)))
    return float(np.mean(values))


def main(argv: list[str] | None = None) -> list[dict]:
    """Measure and print; returns the rows."""
    parser = Parser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--weights", required=True, help="weights of hmf or ps: a file, or a name in pretrained/")
    parser.add_argument("--cave", type=Path, help="folder of CAVE scenes, for hmf")
    parser.add_argument("--pan", type=Path, help="file of one or more scenes, .h5 or .mat, for ps")
    parser.add_argument(
        "--bits", type=bit_depth, help="bit depth of the data (default: CAVE 16; --pan: the file's own, else 11)"
    )
    parser.add_argument("--side", type=positive, default=128, help="side in pixels of the measured middle of a scene")
    args = parser.parse_args(argv)
    model = load_pretrained(args.weights).eval()
    if model.config.task not in ("hmf", "ps"):
        raise UsageError(f"{args.weights}: found {model.config.task} weights, expected hmf or ps")
    if (args.cave if model.config.task == "hmf" else args.pan) is None:
        raise UsageError(
            f"{'--cave' if model.config.task == 'hmf' else '--pan'}: found none, expected data of the task"
        )
    torch.set_flush_denormal(True)
    images = list(scenes(model, args.cave, args.pan, args.bits, args.side))
    whole, rows = quality(model, images, None), []
    print(f"{model.config.task}, {len(images)} scenes, PyTorch {torch.__version__}\n")
    print(f"| in float32 | PSNR | lost, dB |\n|---|---:|---:|\n| all | {whole:.3f} | |")
    for kept in KEPT:
        value = quality(model, images, kept)
        rows.append({"kept": list(kept), "psnr": value, "lost": whole - value})
        print(f"| {', '.join(kept) or 'nothing'} | {value:.3f} | {whole - value:.3f} |", flush=True)
    return rows


if __name__ == "__main__":
    evaluation_script(main)()
