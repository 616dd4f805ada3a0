"""The pansharpening tab."""

import gradio as gr

from metrics.sensors import SENSORS

from .clicked import slide, spectra_at
from .handlers import ONE_AT_A_TIME, QUICK, Handlers
from .image_uploads import SEVERAL
from .limits import MOST_BYTES, MOST_SAMPLES, SIDES, megabytes
from .networks import BY_BANDS, Shelf, choices
from .scene_actions import SceneActions

STORED = [".mat", ".h5", ".hdf5"]
TITLE = "Pansharpening"
ABOUT = (
    "An MS and a pan image (GeoTIFF, .npy, or ENVI's header together with its samples), or one .mat or .h5 with both, "
    f"up to {megabytes(MOST_BYTES)} and {MOST_SAMPLES / 1e6:.0f} million samples each; without any, the sample, a "
    "simulated scene. Open it, click the quick-look where you want the crop (up to "
    f"{SIDES[1]}x{SIDES[1]} pixels of the pan), fuse."
)
KINDS = [("as it is", "full"), ("reduced by Wald's protocol, with a reference", "reduced")]


def scenes_tab(handlers: Handlers, shelf: Shelf) -> None:
    """Build the pansharpening tab inside a `gr.Tabs`."""
    actions = SceneActions(shelf)
    names = [("by the number of bands", BY_BANDS), *((name, name) for name in choices("ps"))]
    with gr.Tab(TITLE):
        gr.Markdown(ABOUT)
        with gr.Row():
            ms = gr.File(label="MS", elem_id="ms", **SEVERAL)
            pan = gr.File(label="Pan", elem_id="pan", **SEVERAL)
            file = gr.File(label="Or both in a .mat, .h5", file_types=STORED, height=130, elem_id="scene_file")
        with gr.Row():
            with gr.Column(scale=1, min_width=320):
                resolution = gr.Radio(KINDS, value="full", label="Resolution", elem_id="resolution")
                with gr.Accordion("Options", open=False):
                    sensor = gr.Dropdown(["auto", *SENSORS, "none"], value="auto", label="Sensor (--sensor)")
                    bits = gr.Number(
                        0, label="Bits, 0: the file's own, else 11 (--bits)", precision=0, minimum=0, maximum=32
                    )
                    number = gr.Number(1, label="Scene of the file", precision=0, minimum=1)
                    suffix = gr.Radio(["tif", "mat", "npy"], value="tif", label="Download as (digital numbers)")
                open_button = gr.Button("Open", elem_id="scene_open")
                side = gr.Slider(*SIDES, value=256, step=64, label="Side of the crop, pan pixels")
                weights = gr.Dropdown(names, value=BY_BANDS, label="Weights")
                fuse = gr.Button("Fuse the crop", variant="primary", elem_id="scene_fuse")
            with gr.Column(scale=1, min_width=320):
                look = gr.Image(
                    label="Quick-look: click to place the crop", interactive=False, type="filepath", elem_id="look"
                )
                words = gr.Markdown(elem_id="look_words")
            with gr.Column(scale=2, min_width=420):
                slider = gr.ImageSlider(label="Left; fused, right", interactive=False, elem_id="scene_slider")
                with gr.Row():
                    against = gr.Radio(["EXP (lms)"], value="EXP (lms)", label="Against", scale=3)
                    download = gr.DownloadButton(
                        "Download", interactive=False, elem_id="scene_download", scale=1, min_width=160
                    )
        with gr.Row():
            fused = gr.Image(
                label="Fused: click a pixel for its spectrum", interactive=False, type="filepath", elem_id="scene_fused"
            )
            spectrum = gr.Plot(label="Spectra", show_label=False, elem_id="scene_spectrum")
            angles = gr.Plot(label="Spectral angle (SAM)", show_label=False, elem_id="scene_angles")
        table = gr.Markdown(elem_id="scene_table", elem_classes="table")

        opening = [ms, pan, file, sensor, bits, number, resolution]
        open_button.click(
            handlers.call(actions.open), [*opening, side], [look, words], show_progress_on=look, **ONE_AT_A_TIME
        )
        fuse.click(
            handlers.call(actions.fuse),
            [*opening, side, weights, suffix],
            [slider, against, download, fused, spectrum, angles, table, look, words],
            show_progress_on=slider,
            **ONE_AT_A_TIME,
        )
        look.select(handlers.click(actions.point), side, [look, words], **QUICK)
        side.release(handlers.call(actions.side), side, [look, words], **QUICK)
        against.input(handlers.call(lambda job, name: slide(job, "crop", name)), against, slider, **QUICK)
        fused.select(handlers.click(lambda job, place: spectra_at(job, "crop", place)), None, spectrum, **QUICK)
        for upload in (ms, pan, file):
            upload.upload(handlers.upload, upload, None, **QUICK)
            upload.change(handlers.call(actions.other), None, [look, words], **QUICK)
        resolution.input(handlers.call(actions.other), None, [look, words], **QUICK)
