"""Starting the page, and leaving nothing behind."""

import tempfile
import threading
from pathlib import Path

from starlette.middleware import Middleware

from utils.commandline.device import pick_device
from utils.commandline.errors import UsageError
from utils.commandline.parser import Parser, port
from utils.commandline.signals import asked_to_stop

from .isolation import OnlyFromHere, isolate, refuse_downloads
from .limits import MOST_BYTES

PORT = 7860


def run_page(argv: list[str] | None) -> None:
    """Parse the options of demo.py and serve until Ctrl-C, or a scheduler's signal."""
    parser = Parser(description="A page to try DCINN on: your images or the samples.", allow_abbrev=False)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to answer at; 0.0.0.0: every one, whoever can reach it may use it"
    )
    parser.add_argument("--port", type=port, default=PORT, help="port to answer at")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where the networks run")
    args = parser.parse_args(argv)
    pick_device(args.device)
    earlier = tempfile.tempdir
    try:
        with tempfile.TemporaryDirectory(prefix="dcinn_page_", ignore_cleanup_errors=True) as name:
            _serve(Path(name).resolve(), args.host, args.port, args.device)
    finally:
        tempfile.tempdir = earlier


def _serve(folder: Path, host: str, number: int, device: str) -> None:
    stop = threading.Event()
    with asked_to_stop(lambda *_: stop.set()):
        isolate(folder)
        from .page import build  # noqa: PLC0415  imports Gradio, which reads its environment then
        from .visitors import Visitors  # noqa: PLC0415

        refuse_downloads()
        page = build(Visitors(folder), device)
        try:
            page.launch(
                server_name=host,
                server_port=number,
                share=False,
                inbrowser=False,
                prevent_thread_lock=True,
                quiet=True,
                show_api=False,
                allowed_paths=[],
                max_file_size=MOST_BYTES,
                ssr_mode=False,
                pwa=False,
                app_kwargs={"middleware": [Middleware(OnlyFromHere)], "docs_url": None, "redoc_url": None},
            )
        except OSError as error:  # Gradio's, for a port that is taken
            raise UsageError(f"--host {host} --port {number}: found {' '.join(str(error).split())}") from None
        print(f"The page is at {page.local_url} (Ctrl-C ends it)", flush=True)
        stop.wait()
        page.close(verbose=False)
