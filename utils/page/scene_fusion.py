"""Fuses and measures a crop of a pansharpening scene, with its spectral angles and spectra."""

import numpy as np
from matplotlib.figure import Figure

from metrics import table_text
from metrics.protocols import EXP
from metrics.reference import spectral_angles
from utils.commandline.errors import UsageError
from utils.evaluation.evaluation import Evaluation
from utils.evaluation.pansharpening import default_weights, order_of_bands, scene_table
from utils.evaluation.table_rows import add_scene_ps
from utils.output.images import stretch

from .handlers import Job
from .networks import BY_BANDS, Shelf, at_hand
from .pictures import angle_map, save
from .scenes import Box, Scene, on_disk


def fuse_crop(job: Job, shelf: Shelf, scene: Scene, box: Box, weights: str, suffix: str) -> dict:
    """Fuse a crop of a scene, measure it, and write the files of the page.

    Args:
        job: the visitor's job.
        shelf: the networks.
        scene: the open scene.
        box: the crop.
        weights: a name of `networks.choices`, or BY_BANDS for the one that suits the scene.
        suffix: file format of the download: "tif", "mat" or "npy".

    Returns:
        A dictionary with `folder`, `pictures` (name -> path of a PNG, the fused image first), `download` (a path),
        `table` (markdown), `angles` (a figure) and `arrays` (name -> (B, h, w), for spectra).

    Raises:
        UsageError: for a network with another number of bands.
    """
    job.step(0, "loading weights")
    if weights == BY_BANDS:
        weights = at_hand("ps", default_weights(scene.bands))
    network = shelf.get("ps", weights, scene.bands)
    if network.model.config.bands != scene.bands:
        expected = f"{network.model.config.bands} of the weights; untrained takes any"
        raise UsageError(f"{scene.source or 'sample'}: found {scene.bands} bands, expected {expected}")
    item = scene.crop(box)
    run = Evaluation("ps", network, scene.source, doubts=[*scene.notes, *order_of_bands(network)])
    job.step(0.2, network.label)
    with job.running(network.model):
        fused = run.fuse(item["lms"], item["pan"])
    job.step(0.8, "measuring")
    gt = item.get("gt")
    table = scene_table(run, "full" if gt is None else "reduced", scene)
    if fused.shape[1:] != tuple(scene.sides):
        table.comparable = False
        table.remark(f"Of a crop: rows {box[0]} to {box[1]}, columns {box[2]} to {box[3]} of the pan.")
    add_scene_ps(table, item, network.label, fused, scene.scale)
    run.result([table])
    folder = job.visitor.fresh("crop")
    like = item["lms"] if gt is None else gt
    images = {network.label: fused, EXP: item["lms"], **({} if gt is None else {"reference": gt})}
    pictures = {name: save(folder / f"{n}.png", stretch(x, like)) for n, (name, x) in enumerate(images.items())}
    pan = item["pan"][0]
    pictures["pan"] = save(folder / "pan.png", (pan / max(float(np.percentile(pan, 99)), 1e-6)).clip(0, 1))
    download = folder / f"{scene.name}_fused.{suffix}"
    scene.write(download, fused, box)
    arrays = on_disk(folder, {str(n): x for n, x in enumerate(images.values())})
    return {
        "folder": folder,
        "pictures": pictures,
        "download": str(download),
        "table": table_text.markdown(table),
        "angles": _angles(fused, item["lms"], gt),
        "arrays": dict(zip(images, arrays.values(), strict=True)),
    }


def _angles(fused: np.ndarray, lms: np.ndarray, gt: np.ndarray | None) -> Figure:
    """Return a figure of the angles to the reference, or to EXP without one; these are changes, not errors."""
    words = "SAM to the reference" if gt is not None else f"no reference: SAM to {EXP}"
    both = (np.moveaxis(x, 0, -1) for x in (fused, lms if gt is None else gt))
    return angle_map(spectral_angles(*both), words)
