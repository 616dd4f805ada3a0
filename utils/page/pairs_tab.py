"""The infrared-visible tab."""

import gradio as gr

from .clicked import slide
from .handlers import ONE_AT_A_TIME, QUICK, Handlers
from .limits import MOST_BYTES, MOST_PIXELS, megabytes
from .networks import Shelf, choices, methods
from .pairs import SAMPLES
from .pairs_actions import PairActions

FILES = [".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".jp2"]
DOWNLOADS = [("as the sources", ""), ("PNG", ".png"), ("TIFF", ".tif")]
BITS = "Bits of images of more than 8, 0: those of their type (--bits)"
RESIZE = "Resize an infrared image of the same field of view but other sides (--resize-infrared)"
PARTS = "Detail goes into CINN, the residual comes out (gray is 0); channels of ANet's conditions"
TITLE = "Infrared and visible"
ABOUT = (
    f"Two registered images of equal size, up to {MOST_PIXELS / 1e6:g} million pixels and {megabytes(MOST_BYTES)} "
    "each; without any, the sample is fused: photographs under failing light and infrared images simulated from them."
)


def pairs_tab(handlers: Handlers, shelf: Shelf) -> None:
    """Build the infrared-visible tab inside a `gr.Tabs`."""
    names = choices("ivf")
    with gr.Tab(TITLE):
        gr.Markdown(ABOUT)
        with gr.Row():
            with gr.Column(scale=1, min_width=320):
                sample = gr.Dropdown(list(SAMPLES), value=SAMPLES[0], label="Sample", elem_id="pair_sample")
                with gr.Row():
                    visible = gr.File(label="Visible image", file_types=FILES, height=150, elem_id="visible")
                    infrared = gr.File(label="Infrared image", file_types=FILES, height=150, elem_id="infrared")
                weights = gr.Dropdown(names, value=names[0], label="Weights", elem_id="pair_weights")
                rest = [(f"DCINN ({name})", name) for name in names] + methods()
                beside = gr.CheckboxGroup(rest, label="Methods beside it", elem_id="beside")
                with gr.Accordion("Options", open=False):
                    colour = gr.Checkbox(True, label="Keep the visible image's colour (without: --gray)")
                    stretch = gr.Checkbox(False, label="Stretch the infrared image, for counts (--stretch-infrared)")
                    resize = gr.Checkbox(False, label=RESIZE, elem_id="resize")
                    bits = gr.Number(0, label=BITS, precision=0, minimum=0, maximum=32)
                    kind = gr.Radio(DOWNLOADS, value="", label="Download as")
                fuse = gr.Button("Fuse", variant="primary", elem_id="pair_fuse")
            with gr.Column(scale=2, min_width=480):
                slider = gr.ImageSlider(
                    label="Source, left; fused, right", interactive=False, elem_id="pair_slider", max_height=520
                )
                with gr.Row():
                    against = gr.Radio(
                        ["visible", "infrared"], value="visible", label="Against", elem_id="against", scale=3
                    )
                    download = gr.DownloadButton(
                        "Download", interactive=False, elem_id="pair_download", scale=1, min_width=160
                    )
                with gr.Accordion("Side by side", open=True):
                    gallery = gr.Gallery(show_label=False, columns=3, object_fit="contain", elem_id="pair_gallery")
                inside = gr.Button("Look inside: base, detail, residual, conditions", elem_id="inside")
                parts = gr.Gallery(label=PARTS, columns=3, object_fit="contain", visible=False, elem_id="parts")
        table = gr.Markdown(elem_id="pair_table", elem_classes="table")

        inputs = [sample, visible, infrared, bits, stretch, resize, weights, beside, colour, kind]
        outputs = [slider, against, download, gallery, table, parts]
        actions = PairActions(shelf)
        fuse.click(handlers.call(actions.fuse), inputs, outputs, show_progress_on=[slider], **ONE_AT_A_TIME)
        inside.click(handlers.call(actions.inside), None, parts, show_progress_on=[inside], **ONE_AT_A_TIME)
        against.input(handlers.call(lambda job, name: slide(job, "pair", name)), against, slider, **QUICK)
        for file in (visible, infrared):
            file.upload(handlers.upload, file, None, **QUICK)
