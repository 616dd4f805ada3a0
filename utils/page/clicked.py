"""What tabs have in common: the slider between two images, and the spectra of a clicked pixel."""

import gradio as gr
import numpy as np
from matplotlib.figure import Figure

from utils.commandline.errors import UsageError

from .handlers import Job
from .pictures import spectra


def slide(job: Job, kind: str, name: str) -> object:
    """The slider between an image of this name and the fused one, the first of the kept pictures of a kind."""
    pictures = job.visitor.kept.get(kind, {}).get("pictures", {})
    if name not in pictures:
        return gr.skip()
    fused = next(iter(pictures))
    return gr.update(value=(pictures[name], pictures[fused]), label=f"{name}, left; {fused}, right")


def fused_cube(job: Job, kind: str, against: str, found: dict) -> list:
    """Keep what `fuse_crop` or `fuse_cube` found under a kind, and show it.

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
    """The spectra of a pixel (column, row) in the kept arrays of a kind, (B, H, W) each; 31 bands are 400 to 700 nm."""
    arrays = job.visitor.kept.get(kind, {}).get("arrays")
    if not arrays:
        raise UsageError("spectrum: found no fused image, expected one (Fuse)")
    column, row = place
    lines = {name: np.array(array[:, row, column]) for name, array in arrays.items()}
    bands = len(next(iter(lines.values())))
    return spectra(lines, place, np.linspace(400, 700, bands) if bands == 31 else None)
