"""Measured hyperspectral scenes on the page: the middle is fused with the camera image; there is no reference."""

from pathlib import Path

import numpy as np

from metrics.outside_text import line_in_markdown
from metrics.reference import spectral_angles
from utils.evaluation.cube_weights import default_weights
from utils.evaluation.evaluation import Evaluation
from utils.evaluation.measured_cube import Stored, measured_scene, prepare
from utils.evaluation.scene_by_tiles import write_crop
from utils.output.images import stretch

from .cubes import UPSAMPLED
from .handlers import Job
from .limits import SIDES, check_samples, header_shape
from .networks import Shelf, at_hand
from .pictures import angle_map, save
from .scenes import on_disk

BY_RATIO = "by the ratio"  # in place of a name of weights
NO_REFERENCE = "No reference, so nothing is measured."


def fuse_measured_middle(
    job: Job,
    shelf: Shelf,
    files: tuple[Path, Path],
    weights: str,
    side: float,
    bits: tuple[float | None, float | None],
    srgb: bool = False,
) -> dict:
    """Fuse the middle of a measured scene; returns the same dictionary as `scene_fusion.fuse_crop`.

    Args:
        job: the visitor's job.
        shelf: the networks.
        files: the HSI and the MSI.
        weights: a name of `networks.choices`, or BY_RATIO for the one that suits the scene.
        side: side of the middle in pixels of the MSI.
        bits: bit depths of the two; 0 or None is that of their types.
        srgb: whether the MSI has sRGB's tone curve.

    Raises:
        DataError: see `measured_scene` and `prepare`, and for images over the page's limit.
    """
    for file in files:
        if shape := header_shape(file):
            check_samples(file, shape)
    stored = [Stored(file, int(depth) if depth else None) for file, depth in zip(files, bits, strict=True)]
    scene = measured_scene(stored[0], stored[1]._replace(srgb=srgb))
    for image in (scene.low, scene.guide):
        check_samples(image.path, image.shape)
    weights = at_hand("hmf", default_weights(scene.ratio)) if weights == BY_RATIO else weights
    network = shelf.get("hmf", weights)
    prepare(scene, network)
    rows, columns = (_middle(length, int(side), scene.ratio) for length in (scene.height, scene.width))
    up, guide = (image[0].numpy() for image in scene.read(rows, columns)[:2])
    job.step(0.2, network.label)
    with job.running(network.model):
        fused = Evaluation("hmf", network, files[0].name).fuse(up, guide)
    job.step(0.8, "writing")
    folder = job.visitor.fresh("cube")
    images = {network.label: fused, UPSAMPLED: up}
    pictures = {name: save(folder / f"{n}.png", stretch(x, up)) for n, (name, x) in enumerate(images.items())}
    camera = guide[[-1, len(guide) // 2, 0]]  # red, green and blue
    pictures["MSI"] = save(folder / "msi.png", stretch(camera))
    download = folder / f"{scene.guide.path.stem}_fused.tif"
    write_crop(download, fused, scene, rows, columns)
    arrays = on_disk(folder, {str(n): x for n, x in enumerate(images.values())})
    angles = spectral_angles(*(np.moveaxis(x, 0, -1) for x in images.values()))
    sides = f"{scene.height}x{scene.width} pixels, ratio {scene.ratio}"
    part = f"{sides}: fused rows {rows[0]} to {rows[1]}, columns {columns[0]} to {columns[1]}. {NO_REFERENCE}"
    return {
        "folder": folder,
        "pictures": pictures,
        "download": str(download),
        "table": "\n".join(f"* {line_in_markdown(line)}" for line in (part, *scene.notes)),
        "angles": angle_map(angles, f"no reference: SAM to {UPSAMPLED}"),
        "arrays": dict(zip(images, arrays.values(), strict=True)),
    }


def _middle(length: int, side: int, ratio: int) -> tuple[int, int]:
    """Return the first and the last pixel of the middle, whole pixels of the HSI, at most `side` pixels."""
    side = max(min(side, SIDES[1], length) // ratio, 1) * ratio
    first = (length - side) // 2 // ratio * ratio
    return first, first + side
