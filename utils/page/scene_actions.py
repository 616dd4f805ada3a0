"""The functions of the pansharpening tab's buttons."""

import shutil

import gradio as gr

from metrics.protocols import EXP
from utils.commandline.errors import UsageError

from .clicked import fused_cube
from .handlers import Job
from .networks import Shelf
from .pictures import framed, save
from .scene_fusion import fuse_crop
from .scenes import open_scene


class SceneActions:
    """The functions of the tab's buttons, see `handlers.Handlers`.

    The open scene is kept as "scene", the last crop as "crop".

    Args:
        shelf: the networks.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def open(self, job: Job, *values: object) -> list:
        """Open the files or the sample; returns updates of quick-look and its caption."""
        *files, resolution, side = values
        job.step(0, "reading")
        folder = job.visitor.fresh("scene")
        scene = open_scene(job, folder, *files, reduced=resolution == "reduced")
        job.visitor.replace("scene", folder, scene=scene, place=None)
        return self._look(job, side)

    def other(self, job: Job) -> list:
        """Close the open scene after other files or another resolution were chosen.

        Returns updates that clear quick-look and caption.
        """
        kept = job.visitor.kept.pop("scene", None)
        if kept is not None:
            shutil.rmtree(kept["folder"], ignore_errors=True)
        return [None, ""]

    def point(self, job: Job, place: tuple[int, int], side: float) -> list:
        """Move the crop to the clicked pixel of the quick-look; returns updates of quick-look and caption."""
        self._scene(job)["place"] = place
        return self._look(job, side)

    def side(self, job: Job, side: float) -> list:
        """Change the size of the crop; returns updates of quick-look and caption."""
        return self._look(job, side) if "scene" in job.visitor.kept else [gr.skip(), gr.skip()]

    def fuse(self, job: Job, *values: object) -> list:
        """Fuse the crop, after opening the scene if needed.

        Returns updates of slider, against, download, fused, spectra, angles, table, quick-look and caption.
        """
        *opening, side, weights, suffix = values
        look = [gr.skip(), gr.skip()]
        if "scene" not in job.visitor.kept:
            look = self.open(job, *opening, side)
        kept = self._scene(job)
        scene = kept["scene"]
        found = fuse_crop(job, self.shelf, scene, scene.box(kept["place"], side), weights, suffix)
        return [*fused_cube(job, "crop", EXP, found), *look]

    def _scene(self, job: Job) -> dict:
        kept = job.visitor.kept.get("scene")
        if kept is None:
            raise UsageError("crop: found no open scene, expected one (Open)")
        return kept

    def _look(self, job: Job, side: float) -> list:
        kept = self._scene(job)
        scene = kept["scene"]
        box = scene.box(kept["place"], side)
        folder = job.visitor.fresh("look")
        path = save(folder / "look.png", framed(scene.quick, scene.on_quick_look(box)))
        job.visitor.replace("look", folder)
        reference = "with a reference" if "gt" in getattr(scene, "arrays", {}) else "without a reference"
        words = (
            f"{scene.name}: pan {scene.sides[0]}x{scene.sides[1]}, {scene.bands} bands, x{scene.ratio}, "
            f"{scene.scale.bit_length()} bits, sensor {scene.sensor}, {reference}. "
            f"Crop: rows {box[0]} to {box[1]}, columns {box[2]} to {box[3]}."
        )
        return [gr.update(value=path), " ".join([words, *scene.notes])]
