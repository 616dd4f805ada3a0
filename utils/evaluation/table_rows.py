"""Measures one fused image for its tables, with trivial baselines from the same sources."""

import numpy as np

from metrics import protocols
from metrics.protocols import EXP
from metrics.q2n_index import BLOCK
from metrics.sensors import ms_gains
from metrics.table import Table

PER_BAND = ("PSNR", "ERGAS", "SSIM")  # metrics that are means over the bands
TRIVIAL = {
    "ivf": ("mean of the two", "max of the two"),
    "ps": (EXP,),
    "hmf": ("bicubic", "bilinear"),
}


def add_pair(
    tables: list[Table], name: str, fused: dict[str, np.ndarray], infrared: np.ndarray, visible: np.ndarray
) -> None:
    """Measure the fused images of one pair, and the mean and the maximum of its sources.

    Args:
        tables: the tables to add the image to.
        name: the pair's name.
        fused: method -> fused image (H, W) uint8.
        infrared, visible: (H, W) uint8.
    """
    both = np.stack([visible, infrared]).astype(np.uint16)
    mean, most = (both.sum(axis=0) + 1) // 2, both.max(axis=0)  # halves rounded up
    for table in tables:
        table.image(name, visible.shape)
        for row, result in {**fused, **dict(zip(TRIVIAL["ivf"], (mean, most), strict=True))}.items():
            table.add(row, protocols.ivf(table.protocol, result, infrared, visible))


def add_scene_hmf(table: Table, name: str, method: str, fused: np.ndarray, gt: np.ndarray, inputs: dict) -> None:
    """Measure one fused scene and the two interpolations of its low-resolution image.

    Args:
        table: the table to add the scene to.
        name: the scene's name.
        method: name of the fused image's row.
        fused, gt: fused image and reference, (B, H, W) in [0, 1].
        inputs: dictionary with `bicubic` and `hsi_up`, see `fusion_inputs`.
    """
    table.image(name, gt.shape[1:])
    _note_dead_bands(table, name, gt, (method, *TRIVIAL["hmf"]))
    for row, image in zip((method, *TRIVIAL["hmf"]), (fused, inputs["bicubic"], inputs["hsi_up"]), strict=True):
        table.add(row, protocols.hmf(table.protocol, image, gt, ratio=table.ratio))


def add_scene_ps(table: Table, item: dict, method: str, fused: np.ndarray, scale: float) -> None:
    """Measure one fused scene and EXP, against the reference if the item has one.

    Args:
        table: the table to add the scene to.
        item: the scene, see `PanCollection`.
        method: name of the fused image's row.
        fused: (B, H, W) in [0, 1].
        scale: digital number of 1.
    """
    table.image(item["name"], item["lms"].shape[1:])
    for row, image in ((method, fused), (EXP, item["lms"])):
        add_row_ps(table, item, row, image, scale)


def add_row_ps(table: Table, item: dict, row: str, image: np.ndarray, scale: float) -> None:
    """Measure one image of a scene, (B, H, W) in [0, 1], for one row of the table; arguments as for `add_scene_ps`."""
    gt = item.get("gt")
    if gt is not None:
        _note_dead_bands(table, item["name"], gt, (row,))
        if table.protocol == "toolbox" and not protocols.can_cut(gt.shape):
            table.comparable = False
            table.remark(f"Border NOT cut: sides under {protocols.LEAST_TO_CUT} pixels.")
        table.add(row, protocols.ps_reduced(table.protocol, image, gt, scale=scale, ratio=table.ratio))
        return
    table.unranked |= {(EXP, "D_lambda"), (EXP, "QNR")}
    if table.sensor and ms_gains(table.sensor) is None:
        table.remark(f"Sensor '{table.sensor}' has no gains of its own: D_lambda_K with 0.3 at Nyquist in all bands.")
    sides = item["lms"].shape[1:]
    whole = tuple(side // BLOCK * BLOCK for side in sides)
    if whole != sides and all(whole):
        table.remark(f"Indices on the top left {whole[0]}x{whole[1]} pixels, whole {BLOCK}x{BLOCK} blocks.")
    about = {"scale": scale, "ratio": table.ratio, "sensor": table.sensor}
    table.add(row, protocols.ps_full(image, item["lms"], item["pan"][0], **about))


def _note_dead_bands(table: Table, name: str, gt: np.ndarray, rows: tuple[str, ...]) -> None:
    """Add a remark on constant bands (counted from 1) of a reference (B, H, W), and do not rank means over bands.

    An image close to a constant band has an extreme PSNR there, and its relative error may be undefined.
    """
    dead = [str(band) for band, image in enumerate(gt, 1) if image.max() == image.min()]
    if dead:
        bands = f"band {dead[0]} is" if len(dead) == 1 else f"bands {', '.join(dead)} are"
        table.remark(f"{name}: {bands} constant in the reference: {', '.join(PER_BAND)} are not ranked.")
        table.unranked |= {(row, metric) for row in rows for metric in PER_BAND}
