"""Hyperspectral scenes on the page: they are degraded, fused with their own colours, and measured."""

from pathlib import Path

import numpy as np

from data import CAVE
from data.hyperspectral import CAVE_BITS, fusion_inputs
from data.samples import sample_hyperspectral
from metrics import table_text
from metrics.reference import spectral_angles
from utils.commandline.errors import UsageError
from utils.evaluation.evaluation import Evaluation
from utils.evaluation.hyperspectral import scene_table, whole
from utils.evaluation.table_rows import add_scene_hmf
from utils.output.images import stretch, write_bands

from .handlers import Job, given
from .limits import SIDES, check_pixels
from .networks import Shelf
from .pictures import angle_map, save
from .scenes import on_disk
from .zipped import unpack

UPSAMPLED = "upsampled (bilinear)"  # name of the picture to compare with
SAMPLES = ("coffee", "astronaut")  # names of `sample_hyperspectral`
MOST_PIXELS = 2**20  # pixels of a band


def open_cubes(job: Job, file: str | None) -> list[str]:
    """Return the names of the scenes in an uploaded .zip, which is unpacked and kept as "cubes", or in the sample.

    Raises:
        DataError: see `CAVE` and `zipped.unpack`.
    """
    path = given(job, file)
    if path is None:
        return list(SAMPLES)
    folder = job.visitor.fresh("cubes")
    root = unpack(path, folder, job.step)
    scenes = CAVE(root)
    job.visitor.replace("cubes", folder, root=root, upload=str(path))
    return list(scenes.scenes)


def read_cube(job: Job, file: str | None, scene: str, bits: float | None) -> tuple[dict, str | None]:
    """Return a scene as an item of `CAVE`, and the name of the uploaded file; None for the sample.

    Raises:
        UsageError: for an unknown scene.
        DataError: see `CAVE`, and for bands over the page's limit.
    """
    if file is None:
        samples = sample_hyperspectral()
        return next((s for s in samples if s["name"] == scene), samples[0]), None
    if job.visitor.kept.get("cubes", {}).get("upload") != file:
        open_cubes(job, file)
    root = job.visitor.kept["cubes"]["root"]
    names = CAVE(root).scenes
    if scene not in names:
        raise UsageError(f"scene: found {str(scene)[:60]!r}, expected one of {', '.join(names[:12])}")
    found = CAVE(root, (scene,), bits=int(bits) if bits else None)
    for band in found.files[scene]:
        check_pixels(band, MOST_PIXELS)
    return found[0], Path(file).name


def fuse_cube(
    job: Job, shelf: Shelf, item: dict, source: str | None, weights: str, side: float, ratio: int, bits: float | None
) -> dict:
    """Degrade the middle of a scene, fuse and measure it; returns the same dictionary as `scene_fusion.fuse_crop`.

    Args:
        job: the visitor's job.
        shelf: the networks.
        item, source: a scene, and the name of its file, see `read_cube`.
        weights: a name of `networks.choices`.
        side: side of the middle in pixels.
        ratio: resolution ratio.
        bits: bit depth of the download's digital numbers; 0 or None is 16.
    """
    job.step(0, "loading weights")
    network = shelf.get("hmf", weights)
    run = Evaluation("hmf", network, source)
    full = item["gt"].shape[1:]
    gt = whole(_middle(item["gt"], int(side)), int(ratio), item["name"], run)
    srf = np.array(network.model.config.srf)
    if len(gt) != len(srf):
        raise UsageError(f"{item['name']}: found {len(gt)} bands, expected {len(srf)} of the response")
    table = scene_table(run, int(ratio))
    if gt.shape[1:] != full:
        table.comparable = False
        table.remark(f"Of the middle {gt.shape[1]}x{gt.shape[2]} pixels of {full[0]}x{full[1]}.")
    inputs = fusion_inputs(gt, srf, int(ratio))
    job.step(0.2, network.label)
    with job.running(network.model):
        fused = run.fuse(inputs["hsi_up"], inputs["rgb"])
    job.step(0.8, "measuring")
    add_scene_hmf(table, item["name"], network.label, fused, gt, inputs)
    run.result([table])
    folder = job.visitor.fresh("cube")
    images = {network.label: fused, UPSAMPLED: inputs["hsi_up"], "truth": gt}
    pictures = {name: save(folder / f"{n}.png", stretch(x, gt)) for n, (name, x) in enumerate(images.items())}
    download = folder / f"{item['name']}_fused.mat"
    write_bands(download, fused, 2 ** int(bits or CAVE_BITS) - 1)
    arrays = on_disk(folder, {str(n): x for n, x in enumerate(images.values())})
    angles = spectral_angles(np.moveaxis(fused, 0, -1), np.moveaxis(gt, 0, -1))
    return {
        "folder": folder,
        "pictures": pictures,
        "download": str(download),
        "table": table_text.markdown(table),
        "angles": angle_map(angles, "SAM to the truth"),
        "arrays": dict(zip(images, arrays.values(), strict=True)),
    }


def _middle(gt: np.ndarray, side: int) -> np.ndarray:
    """Return the middle of (B, H, W), at most `side` pixels along each axis."""
    side = min(max(side, SIDES[0]), SIDES[1])
    top, left = (max(0, (length - side) // 2) for length in gt.shape[1:])
    return gt[:, top : top + side, left : left + side]
