"""The hyperspectral tab."""

import gradio as gr

from .clicked import fused_cube, slide, spectra_at
from .cubes import SAMPLES, fuse_cube, open_cubes, read_cube
from .handlers import ONE_AT_A_TIME, QUICK, Handlers, Job
from .limits import MOST_BYTES, SIDES, megabytes
from .networks import Shelf, choices

TITLE = "Hyperspectral"
ABOUT = (
    f"A zipped folder of CAVE's band images (NAME_ms/NAME_ms_01.png ...), up to {megabytes(MOST_BYTES)}; without one, "
    "the sample, simulated from photographs. The scene is degraded, fused with its colour image, and compared with "
    f"what it was; of a larger one the middle, up to {SIDES[1]}x{SIDES[1]} pixels."
)
UPSAMPLED = "upsampled (bilinear)"


class CubeActions:
    """The functions of the tab's buttons, see `handlers.Handlers`; the last fused scene is kept as "cube".

    Args:
        shelf: the networks.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def open(self, job: Job, file: str | None) -> object:
        """Open the upload or the sample; returns an update of the list of scenes."""
        names = open_cubes(job, file)
        return gr.update(choices=names, value=names[0])

    def fuse(self, job: Job, *values: object) -> list:
        """Fuse; returns updates of slider, against, download, fused, spectrum, angles, table."""
        file, scene, bits, weights, ratio, side = values
        job.step(0, "reading")
        item, source = read_cube(job, file, scene, bits)
        found = fuse_cube(job, self.shelf, item, source, weights, side, ratio, bits)
        return fused_cube(job, "cube", UPSAMPLED, found)


def cubes_tab(handlers: Handlers, shelf: Shelf) -> None:
    """Build the hyperspectral tab inside a `gr.Tabs`."""
    actions, names = CubeActions(shelf), choices("hmf")
    with gr.Tab(TITLE):
        gr.Markdown(ABOUT)
        with gr.Row():
            with gr.Column(scale=1, min_width=320):
                file = gr.File(label="Zipped scenes", file_types=[".zip"], height=150, elem_id="cube_file")
                scene = gr.Dropdown(list(SAMPLES), value=SAMPLES[0], label="Scene", elem_id="cube_scene")
                weights = gr.Dropdown(names, value=names[0], label="Weights")
                side = gr.Slider(*SIDES, value=128, step=64, label="Side of the middle that is fused, pixels")
                with gr.Accordion("Options", open=False):
                    ratio = gr.Dropdown([2, 4, 8, 16], value=4, label="Resolution ratio (--ratio)")
                    bits = gr.Number(0, label="Bits of the bands, 0: 16 (--bits)", precision=0, minimum=0, maximum=32)
                fuse = gr.Button("Fuse", variant="primary", elem_id="cube_fuse")
            with gr.Column(scale=2, min_width=420):
                slider = gr.ImageSlider(label="Left; fused, right", interactive=False, elem_id="cube_slider")
                with gr.Row():
                    against = gr.Radio([UPSAMPLED, "truth"], value=UPSAMPLED, label="Against", scale=3)
                    download = gr.DownloadButton("Download", interactive=False, scale=1, min_width=160)
        with gr.Row():
            fused = gr.Image(
                label="Fused; click a pixel for its spectrum",
                interactive=False,
                type="filepath",
                elem_id="cube_fused",
            )
            spectrum = gr.Plot(label="Spectra", show_label=False, elem_id="cube_spectrum")
            angles = gr.Plot(label="Spectral angle (SAM)", show_label=False, elem_id="cube_angles")
        table = gr.Markdown(elem_id="cube_table", elem_classes="table")

        fuse.click(
            handlers.call(actions.fuse),
            [file, scene, bits, weights, ratio, side],
            [slider, against, download, fused, spectrum, angles, table],
            show_progress_on=slider,
            **ONE_AT_A_TIME,
        )
        against.input(handlers.call(lambda job, name: slide(job, "cube", name)), against, slider, **QUICK)
        fused.select(handlers.click(lambda job, place: spectra_at(job, "cube", place)), None, spectrum, **QUICK)
        file.upload(handlers.upload, file, None, **QUICK).then(
            handlers.call(actions.open), file, scene, show_progress_on=scene, api_name=False
        )
        file.clear(handlers.call(actions.open), file, scene, **QUICK)
