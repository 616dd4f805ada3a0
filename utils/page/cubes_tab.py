"""The hyperspectral tab."""

import shutil

import gradio as gr

from utils.commandline.errors import UsageError
from utils.evaluation.cube_weights import default_weights

from .clicked import fused_cube, slide, spectra_at
from .cubes import SAMPLES, UPSAMPLED, fuse_cube, open_cubes, read_cube
from .handlers import ONE_AT_A_TIME, QUICK, Handlers, Job
from .image_uploads import SEVERAL, gather
from .limits import MOST_BYTES, SIDES, megabytes
from .measured_cubes import BY_RATIO, fuse_measured_middle
from .networks import Shelf, at_hand, choices

TITLE = "Hyperspectral"
ABOUT = (
    "A measured hyperspectral image (HSI) and a camera image of the same scene (MSI); an ENVI header is uploaded "
    f"together with its samples. A file has at most {megabytes(MOST_BYTES)}. Or a zipped folder of CAVE's band images "
    "(NAME_ms/NAME_ms_01.png ...), or the sample, simulated from photographs: such a scene is degraded, fused with its "
    "colour image, and compared with what it was. Of a large one the middle is fused, up to "
    f"{SIDES[1]}x{SIDES[1]} pixels."
)


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
        hsi, msi, file, scene, bits, msi_bits, srgb, weights, ratio, side = values
        job.step(0, "reading")
        if hsi or msi:
            if not (hsi and msi) or file is not None:
                raise UsageError("HSI, MSI: found one of them or zipped scenes as well, expected both alone")
            folder = job.visitor.fresh("upload")
            try:
                pair = gather(job, "HSI", hsi, folder), gather(job, "MSI", msi, folder)
                found = fuse_measured_middle(job, self.shelf, pair, weights, side, (bits, msi_bits), srgb)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return fused_cube(job, "cube", UPSAMPLED, found)
        item, source = read_cube(job, file, scene, bits)
        weights = at_hand("hmf", default_weights(int(ratio))) if weights == BY_RATIO else weights
        found = fuse_cube(job, self.shelf, item, source, weights, side, ratio, bits)
        return fused_cube(job, "cube", UPSAMPLED, found)


def cubes_tab(handlers: Handlers, shelf: Shelf) -> None:
    """Build the hyperspectral tab inside a `gr.Tabs`."""
    actions, names = CubeActions(shelf), choices("hmf")
    names = [(BY_RATIO, BY_RATIO), *((name, name) for name in names)]
    with gr.Tab(TITLE):
        gr.Markdown(ABOUT)
        with gr.Row():
            hsi = gr.File(label="HSI", elem_id="hsi", **SEVERAL)
            msi = gr.File(label="MSI", elem_id="msi", **SEVERAL)
            file = gr.File(label="Or zipped scenes", file_types=[".zip"], height=130, elem_id="cube_file")
        with gr.Row():
            with gr.Column(scale=1, min_width=320):
                scene = gr.Dropdown(
                    list(SAMPLES), value=SAMPLES[0], label="Scene of the zip or sample", elem_id="cube_scene"
                )
                weights = gr.Dropdown(names, value=BY_RATIO, label="Weights")
                side = gr.Slider(*SIDES, value=128, step=64, label="Side of the middle that is fused, pixels")
                with gr.Accordion("Options", open=False):
                    ratio = gr.Dropdown([2, 4, 8, 16], value=4, label="Ratio of zip or sample (--ratio)")
                    bits = gr.Number(
                        0,
                        label="Bits of HSI or bands, 0: those of the type (--bits)",
                        precision=0,
                        minimum=0,
                        maximum=32,
                    )
                    srgb = gr.Checkbox(False, label="The MSI is a photograph with sRGB's tone curve (--msi-srgb)")
                    msi_bits = gr.Number(0, label="Bits of the MSI (--msi-bits)", precision=0, minimum=0, maximum=32)
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
            [hsi, msi, file, scene, bits, msi_bits, srgb, weights, ratio, side],
            [slider, against, download, fused, spectrum, angles, table],
            show_progress_on=slider,
            **ONE_AT_A_TIME,
        )
        against.input(handlers.call(lambda job, name: slide(job, "cube", name)), against, slider, **QUICK)
        fused.select(handlers.click(lambda job, place: spectra_at(job, "cube", place)), None, spectrum, **QUICK)
        for upload in (hsi, msi):
            upload.upload(handlers.upload, upload, None, **QUICK)
        file.upload(handlers.upload, file, None, **QUICK).then(
            handlers.call(actions.open), file, scene, show_progress_on=scene, api_name=False
        )
        file.clear(handlers.call(actions.open), file, scene, **QUICK)
