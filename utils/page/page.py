"""The page with all its tabs."""

import gradio as gr

from .cubes_tab import cubes_tab
from .handlers import Handlers
from .networks import Shelf
from .pairs_tab import pairs_tab
from .scenes_tab import scenes_tab
from .visitors import Visitors

FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
MONO = ["ui-monospace", "Menlo", "Consolas", "monospace"]
SWEEP = (300, 7200)  # seconds between removals of Gradio's own copies, and their largest age
WAITING = 16  # longest queue of requests
STYLE = """
.table table {font-size: 0.85em}
.table {overflow-x: auto}
footer {display: none !important}
#pair_gallery .grid-wrap, #parts .grid-wrap {height: auto; max-height: none; min-height: 0}
#scene_fused img, #cube_fused img, #look img {width: 100%; height: 340px; object-fit: contain}
"""
# A browser keeps a page that was left, with its connections, for the back button, unless it listens to this event.
LEAVING = "<script>addEventListener('unload', () => {})</script>"
HEAD = """# DCINN, on your own images
Everything is computed on this computer; uploads and results are removed when you close the page."""


def build(visitors: Visitors, device: str) -> gr.Blocks:
    """Return the page, with a queue in which one request at a time uses the networks.

    Args:
        visitors: the visitors of the page.
        device: the value of --device.
    """
    handlers, shelf = Handlers(visitors), Shelf(device)
    theme = gr.themes.Default(font=FONTS, font_mono=MONO)
    page = gr.Blocks(title="DCINN", theme=theme, css=STYLE, head=LEAVING, analytics_enabled=False, delete_cache=SWEEP)
    with page:
        gr.Markdown(HEAD)
        with gr.Tabs():
            pairs_tab(handlers, shelf)
            scenes_tab(handlers, shelf)
            cubes_tab(handlers, shelf)
        page.unload(handlers.leave)
    return page.queue(max_size=WAITING, default_concurrency_limit=4, api_open=False)
