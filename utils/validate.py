"""Validation images of a training run: the task's metrics on a few whole images, and pictures of them."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from metrics import ergas, psnr, sam, ssim
from models import DCINN

from .engine import Validation
from .images import stretch
from .losses import ivf_loss, ivf_terms

MOST_PICTURES = 2


def with_reference(items: Sequence[dict], ratio: int) -> Validation:
    """PSNR, SAM, ERGAS and SSIM of items with `base_image`, `guide` and `gt` (C, H, W)."""

    def measure(model: DCINN) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        rows, pictures = [], {}
        for item in items:
            fused = _fused(model, item)
            a, b = np.moveaxis(fused, 0, -1), np.moveaxis(item["gt"], 0, -1)
            rows.append((psnr(a, b), sam(a, b), ergas(a, b, ratio=ratio), ssim(a, b)))
            if len(pictures) < MOST_PICTURES:
                pictures[f"fused/{item['name']}"] = stretch(fused, item["gt"])
        means = np.mean(rows, axis=0) if rows else [float("nan")] * len(names)
        return dict(zip(names, map(float, means), strict=True)), pictures

    names = ("PSNR", "SAM", "ERGAS", "SSIM")
    return Validation(names, 1, measure)


def without_reference(items: Sequence[dict], weights: tuple[float, float, float, float]) -> Validation:
    """The training loss and both SSIM, means over whole infrared-visible pairs."""

    def measure(model: DCINN) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        rows, pictures = [], {}
        for item in items:
            fused = _fused(model, item)
            images = [torch.from_numpy(x)[None] for x in (fused, item["guide"], item["base_image"])]
            terms = ivf_terms(*images)
            rows.append((float(ivf_loss(*images, weights)), *(1 - terms[:2]).tolist()))
            if len(pictures) < MOST_PICTURES:
                pictures[f"fused/{item['name']}"] = fused[0]
        means = np.mean(rows, axis=0) if rows else [float("nan")] * len(names)
        return dict(zip(names, map(float, means), strict=True)), pictures

    names = ("val_loss", "val_ssim_infrared", "val_ssim_visible")
    return Validation(names, -1, measure)


def _fused(model: DCINN, item: dict) -> np.ndarray:
    device = next(model.parameters()).device

    def tensor(role: str) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(item[role], np.float32))[None].to(device)

    return model(tensor("base_image"), tensor("guide"))[0].float().cpu().numpy()
