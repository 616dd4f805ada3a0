"""The protocols of all tables: their metrics, the part of the images they use, and their conventions.

Images are (B, H, W) in [0, 1]; infrared-visible images are (H, W), 8-bit. `ivf`, `ps_reduced`, `ps_full` and `hmf`
return a dictionary from the metric's name to a function without arguments that computes it, so that a table can leave a
cell empty if an image is too small for a metric.
"""

from collections.abc import Callable
from functools import cache, partial

import numpy as np

from . import released
from .columns import COLUMNS
from .no_reference import d_lambda, d_lambda_k, d_s
from .q2n_index import BLOCK, q2n
from .reference import BORDER, cut_border, ergas, psnr, sam, scc, ssim

Measures = dict[str, Callable[[], float]]

EXP = "EXP (lms)"  # name of the interpolated MS as a method
RELEASED = ("PSNR", "SSIM", "ERGAS", "SAM")
IVF = {
    "paper": ("EN", "2EN", "SD*", "MEF-SSIM"),
    "cddfuse": ("EN", "SD", "SF", "MI", "SCD", "VIF", "Qabf", "SSIM"),
}
PS_REDUCED = {
    "toolbox": ("SAM", "ERGAS", "Q2n", "SCC", "PSNR", "SSIM"),
    "whole": ("SAM", "ERGAS", "Q2n", "SCC", "PSNR", "SSIM"),
    "released": RELEASED,
}
PS_FULL = ("D_lambda", "D_s", "QNR", "D_lambda_K", "HQNR")
HMF = {"group": ("PSNR", "SAM", "ERGAS", "SSIM"), "released": RELEASED}
LEAST_TO_CUT = 2 * BORDER - 1 + BLOCK

_RELEASED_REMARK = (
    "As the authors' released code computes: clamped to [0, 1], SSIM with data range 2, ERGAS for ratio 4, SAM over "
    "all pixels. Not comparable with other tables."
)
REMARKS = {
    ("ivf", "paper"): "Measured on the 8-bit images. The paper prints 2EN (twice the entropy) as MI, SD* (sqrt of the "
    "summed squared deviations in [0, 1], grows with the image) as SD, MEF-SSIM (Ma et al., TIP 2015) as MS-SSIM.",
    ("ivf", "cddfuse"): "Measured on the 8-bit images as CDDFuse's evaluator does: MI (nats), SCD, VIF and SSIM (data "
    "range 2) are sums over the two sources; Qabf in its form.",
    (
        "ps_reduced",
        "toolbox",
    ): f"Border of {BORDER} pixels cut as the DLPan-Toolbox does (sides of {LEAST_TO_CUT} or more), not clipped, Q2n "
    "on digital numbers. PSNR: peak 1; SSIM: data range 1; both also without the border.",
    (
        "ps_reduced",
        "whole",
    ): "Whole images, no border cut, not clipped, Q2n on digital numbers. PSNR: peak 1; SSIM: data range 1.",
    ("ps_reduced", "released"): _RELEASED_REMARK,
    (
        "ps_full",
        "toolbox",
    ): "As the DLPan-Toolbox: no border cut; QNR = (1 - D_lambda)(1 - D_s), HQNR = (1 - D_lambda_K)"
    "(1 - D_s). D_lambda of EXP is 0 by definition: it is measured against EXP.",
    (
        "hmf",
        "group",
    ): "Whole images, not clipped. PSNR: peak 1, mean over the bands; ERGAS: 100 / ratio; SSIM: data range 1.",
    ("hmf", "released"): _RELEASED_REMARK,
}


def ivf(protocol: str, fused: np.ndarray, infrared: np.ndarray, visible: np.ndarray) -> Measures:
    """Return the metrics of infrared-visible fusion, metric -> function, for one image.

    Args:
        protocol: "paper" (the columns of the DCINN paper) or "cddfuse".
        fused, infrared, visible: (H, W), 0 to 255.
    """
    calls: Measures = {}
    for name in IVF[protocol]:
        column = COLUMNS[name]
        if column.fused is not None:
            calls[name] = partial(column.fused, fused)
        else:
            assert column.triple is not None, name
            calls[name] = partial(column.triple, fused, infrared, visible)
    return calls


def can_cut(shape: tuple[int, ...]) -> bool:
    """Whether the toolbox's border cut leaves at least one 32x32 block of an image of this shape (B, H, W)."""
    return min(shape[1:]) >= LEAST_TO_CUT


def ps_reduced(protocol: str, fused: np.ndarray, gt: np.ndarray, *, scale: float, ratio: int) -> Measures:
    """Return the metrics of pansharpening against a reference, metric -> function, for one image.

    Args:
        protocol: "toolbox" (border cut if `can_cut`), "whole" (no border cut) or "released" (the authors' metrics).
        fused, gt: (B, H, W) in [0, 1].
        scale: the digital number that 1 stands for, for example 2047 for 11 bits.
        ratio: resolution ratio of MS and pan.
    """
    a, b = np.moveaxis(fused, 0, -1), np.moveaxis(gt, 0, -1)
    if protocol == "released":
        return _released(a, b)
    if protocol == "toolbox" and can_cut(gt.shape):
        a, b = cut_border(a), cut_border(b)
    return {
        "SAM": partial(sam, a, b),
        "ERGAS": partial(ergas, a, b, ratio=ratio),
        "Q2n": lambda: q2n(a * np.float64(scale), b * np.float64(scale)),
        "SCC": partial(scc, a, b),
        "PSNR": partial(psnr, a, b),
        "SSIM": partial(ssim, a, b),
    }


def ps_full(fused: np.ndarray, lms: np.ndarray, pan: np.ndarray, *, scale: float, ratio: int, sensor: str) -> Measures:
    """Return the metrics of pansharpening without a reference, metric -> function, for one image.

    They use the top left part of the image that consists of whole 32x32 blocks.

    Args:
        fused, lms: (B, H, W) in [0, 1].
        pan: (H, W) in [0, 1].
        scale, ratio: as for `ps_reduced`.
        sensor: the sensor whose MTF D_lambda_K uses, see `filters.mtf_kernels`.
    """
    h, w = (side // BLOCK * BLOCK for side in lms.shape[1:])
    a, b = (np.moveaxis(x, 0, -1)[:h, :w] * np.float64(scale) for x in (fused, lms))
    sharp = pan[:h, :w] * np.float64(scale)
    spectral, spatial = cache(lambda: d_lambda(a, b)), cache(lambda: d_s(a, b, sharp, ratio=ratio))
    khan = cache(lambda: d_lambda_k(a, b, sensor=sensor, ratio=ratio))
    return {
        "D_lambda": spectral,
        "D_s": spatial,
        "QNR": lambda: (1 - spectral()) * (1 - spatial()),
        "D_lambda_K": khan,
        "HQNR": lambda: (1 - khan()) * (1 - spatial()),
    }


def hmf(protocol: str, fused: np.ndarray, gt: np.ndarray, *, ratio: int) -> Measures:
    """Return the metrics of hyperspectral-multispectral fusion, metric -> function, for one image.

    Args:
        protocol: "group" or "released" (the authors' metrics).
        fused, gt: (B, H, W) in [0, 1].
        ratio: resolution ratio of hyperspectral and multispectral image.
    """
    a, b = np.moveaxis(fused, 0, -1), np.moveaxis(gt, 0, -1)
    if protocol == "released":
        return _released(a, b)
    return {
        "PSNR": partial(psnr, a, b),
        "SAM": partial(sam, a, b),
        "ERGAS": partial(ergas, a, b, ratio=ratio),
        "SSIM": partial(ssim, a, b),
    }


def _released(a: np.ndarray, b: np.ndarray) -> Measures:
    """Return the authors' four metrics, called as their test scripts do, with the reference first."""
    functions = {"PSNR": released.psnr, "SSIM": released.ssim, "ERGAS": released.ergas, "SAM": released.sam}
    return {m: partial(functions[m], b, a) for m in RELEASED}
