"""The functions of the infrared-visible tab's buttons."""

import gradio as gr

from utils.commandline.errors import UsageError

from .clicked import slide
from .handlers import Job
from .networks import Shelf
from .pairs import fuse_pair, look_inside, read_pair


class PairActions:
    """The functions of the buttons of the infrared-visible tab, called through `handlers.Handlers`.

    Each visitor's latest fused pair is kept under the name "pair" for the buttons that come after "Fuse".

    Args:
        shelf: loads the networks and keeps the latest ones in memory.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def fuse(self, job: Job, *values: object) -> list:
        """Read and fuse a pair; returns the updates of slider, against, download, gallery, table and parts."""
        sample, visible, infrared, bits, stretch, resize, weights, beside, colour, suffix = values
        job.step(0, "reading")
        pair, source = read_pair(job, sample, visible, infrared, bits, stretch, resize)
        found = fuse_pair(job, self.shelf, pair, source, weights, beside, colour, suffix)
        job.visitor.replace("pair", **found, pair=pair, weights=weights)
        _, *others = found["pictures"]
        return [
            slide(job, "pair", "visible"),
            gr.update(choices=[*others[-2:], *others[:-2]], value="visible"),
            gr.update(value=found["download"], interactive=True),
            [(path, name) for name, path in found["pictures"].items()],
            found["table"],
            gr.update(value=None, visible=False),
        ]

    def inside(self, job: Job) -> object:
        """Show the inner images of the network for the last pair; returns an update of the gallery of parts."""
        kept = job.visitor.kept.get("pair")
        if kept is None:
            raise UsageError("look inside: found no fused pair, expected one (Fuse)")
        network = self.shelf.get("ivf", kept["weights"])
        return gr.update(value=look_inside(job, network, kept["pair"], kept["folder"]), visible=True)
