"""Parts that tabs share: the slider between two images, and the spectra of a clicked pixel."""

import gradio as gr
import numpy as np
from matplotlib.figure import Figure

from utils.commandline.errors import UsageError

from .handlers import Job
from .pictures import spectra


def slide(job: Job, kind: str, name: str) -> object:
    """Return an update of the slider between the picture `name` and the fused image.

    Both are among the pictures kept under `kind`, of which the fused image is the first. Without the picture nothing is
    updated.
    """
    pictures = job.visitor.kept.get(kind, {}).get("pictures", {})
    if name not in pictures:
        return gr.skip()
    fused = next(iter(pictures))
    return gr.update(value=(pictures[name], pictures[fused]), label=f"{name}, left; {fused}, right")


def fused_cube(job: Job, kind: str, against: str, found: dict) -> list:
    """Keep the results of `fuse_crop` or `fuse_cube` under `kind`, and show them.

    Args:
        job: the visitor's job.
        kind: key of the results in `Visitor.kept`.
        against: name of the picture to compare with.
        found: the results.

    Returns:
        Updates of slider, against, download, fused, spectra, angles and table.
    """
    angles, table = found.pop("angles"), found.pop("table")
    job.visitor.replace(kind, **found)
    fused, *others = found["pictures"]
    return [
        slide(job, kind, against),
        gr.update(choices=others, value=against),
        gr.update(value=found["download"], interactive=True),
        gr.update(value=found["pictures"][fused], label=f"{fused}; click a pixel for its spectrum"),
        None,
        angles,
        table,
    ]


def spectra_at(job: Job, kind: str, place: tuple[int, int]) -> Figure:
    """Return a plot of the spectra at a pixel (column, row) in the arrays (B, H, W) kept under `kind`.

    31 bands are taken as 400 to 700 nm. Raises UsageError if nothing is kept.
    """
    arrays = job.visitor.kept.get(kind, {}).get("arrays")
    if not arrays:
        raise UsageError("spectrum: found no fused image, expected one (Fuse)")
    column, row = place
    lines = {name: np.array(array[:, row, column]) for name, array in arrays.items()}
    bands = len(next(iter(lines.values())))
    return spectra(lines, place, np.linspace(400, 700, bands) if bands == 31 else None)
