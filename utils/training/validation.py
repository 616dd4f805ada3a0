"""Validation during a training: the task's metrics on a few images, and pictures of the results."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from metrics import ergas, psnr, sam, ssim
from models import DCINN
from utils import distributed
from utils.output.images import stretch

from .ema import Average
from .losses import ssim as ssim_of
from .objectives import Objective

WILD = -1, 2  # range of a fused image's mean that the metrics accept for images in [0, 1]
MOST_PICTURES = 2


@dataclass(frozen=True)
class Validation:
    """How a network is validated between epochs.

    Attributes:
        names: names of the metrics; the first one decides which checkpoint is the best.
        better: 1 if higher values of the first metric are better, -1 if lower ones are.
        measure: function from the network in evaluation mode to (metric -> mean over the validation images,
            title -> picture (H, W) or (H, W, 3) in [0, 1]).
        plain: function that returns the metrics of baselines without a network ("bicubic", "max of the two", ...),
            baseline -> metric -> mean.
    """

    names: tuple[str, ...]
    better: int
    measure: Callable[[nn.Module], tuple[dict[str, float], dict[str, np.ndarray]]]
    plain: Callable[[], dict[str, dict[str, float]]] = dict

    def improves(self, value: float, best: float | None) -> bool:
        """Whether a value of the first metric is better than the best so far; NaN and infinity are not."""
        return bool(np.isfinite(value)) and (best is None or self.better * (value - best) > 0)


@torch.no_grad()
def validated(
    validation: Validation, objective: Objective, average: Average
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Validate the network in evaluation mode, with averaged weights if there are any, in the first process.

    Returns:
        What `Validation.measure` returns; two empty dictionaries in the other processes.

    Raises:
        FloatingPointError: in all processes, if the network has diverged.
    """
    diverged, result = "", ({}, {})
    if distributed.rank() == 0:
        objective.eval()
        try:
            with average.inside(objective.model):
                result = validation.measure(objective.model)
            for name, value in result[0].items():
                if np.isnan(value):
                    raise FloatingPointError(f"found a {name} of nan, expected a number")
        except FloatingPointError as error:
            diverged = str(error)
    if distributed.anywhere(bool(diverged)):
        raise FloatingPointError(diverged or "found NaN or infinity, expected finite values")
    return result


def with_reference(items: Sequence[dict], ratio: int, plain: tuple[str, str]) -> Validation:
    """Return a validation by PSNR, SAM, ERGAS and SSIM against references.

    Args:
        items: samples with `base_image`, `guide` and `gt` (C, H, W).
        ratio: resolution ratio, for ERGAS.
        plain: title and key of the baseline image in the items: ("EXP (lms)", "base_image").
    """

    def against(image: np.ndarray, gt: np.ndarray) -> tuple[float, ...]:
        a, b = np.moveaxis(image, 0, -1), np.moveaxis(gt, 0, -1)
        return psnr(a, b), sam(a, b), ergas(a, b, ratio=ratio), ssim(a, b)

    def untrained() -> dict[str, dict[str, float]]:
        return {plain[0]: _means(names, [against(item[plain[1]], item["gt"]) for item in items])}

    def measure(model: DCINN) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        rows, pictures = [], {}
        for item in items:
            fused = _fused(model, item)
            if not WILD[0] <= fused.mean() <= WILD[1]:  # a diverging network gets a low PSNR, not an error
                fused = fused.clip(*WILD)
            rows.append(against(fused, item["gt"]))
            if len(pictures) < MOST_PICTURES:
                pictures[f"fused/{item['name']}"] = stretch(fused, item["gt"])
        return _means(names, rows), pictures

    names = ("PSNR", "SAM", "ERGAS", "SSIM")
    return Validation(names, 1, measure, untrained)


def without_reference(items: Sequence[dict], loss: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Validation:
    """Return a validation by the training loss and both SSIM, averaged over whole infrared-visible pairs.

    Args:
        items: samples with `base_image` (visible) and `guide` (infrared), each (1, H, W).
        loss: function of fused, infrared and visible (1, 1, H, W) that returns a scalar.
    """

    def of(fused: np.ndarray, item: dict) -> tuple[float, ...]:
        images = [torch.from_numpy(x)[None] for x in (fused, item["guide"], item["base_image"])]
        return float(loss(*images)), *(float(ssim_of(images[0], source)) for source in images[1:])

    def untrained() -> dict[str, dict[str, float]]:
        rules = {
            "mean of the two": lambda item: (item["guide"] + item["base_image"]) / 2,
            "max of the two": lambda item: np.maximum(item["guide"], item["base_image"]),
        }
        return {name: _means(names, [of(rule(item), item) for item in items]) for name, rule in rules.items()}

    def measure(model: DCINN) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        rows, pictures = [], {}
        for item in items:
            fused = _fused(model, item)
            rows.append(of(fused, item))
            if len(pictures) < MOST_PICTURES:
                pictures[f"fused/{item['name']}"] = fused[0]
        return _means(names, rows), pictures

    names = ("val_loss", "val_ssim_infrared", "val_ssim_visible")
    return Validation(names, -1, measure, untrained)


def _means(names: tuple[str, ...], rows: Sequence[tuple[float, ...]]) -> dict[str, float]:
    means = np.mean(rows, axis=0) if rows else [float("nan")] * len(names)
    return dict(zip(names, map(float, means), strict=True))


def _fused(model: DCINN, item: dict) -> np.ndarray:
    device = next(model.parameters()).device

    def tensor(role: str) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(item[role], np.float32))[None].to(device)

    fused = model(tensor("base_image"), tensor("guide"))[0].float().cpu().numpy()
    if not np.isfinite(fused).all():
        raise FloatingPointError(f"found NaN or infinity in the fused image of {item['name']}, expected finite values")
    return fused
