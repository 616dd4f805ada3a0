"""Starts the page, and removes all its files at the end."""

import importlib.util
import socket
import tempfile
import threading
from pathlib import Path

from data.files import size_limits
from utils.commandline.device import pick_device
from utils.commandline.errors import UsageError
from utils.commandline.parser import Parser, port
from utils.commandline.signals import asked_to_stop

from .limits import MOST_BYTES, MOST_UNPACKED

PORT = 7860


def run_page(argv: list[str] | None) -> None:
    """Parse the options of demo.py, and serve the page until Ctrl-C or SIGTERM."""
    parser = Parser(description="A page to try DCINN on: your images or the samples.", allow_abbrev=False)
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to serve the page at; with 0.0.0.0 anybody who can reach this computer can use it",
    )
    parser.add_argument("--port", type=port, default=PORT, help="port to serve the page at")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where the networks run")
    args = parser.parse_args(argv)
    if importlib.util.find_spec("gradio") is None:
        raise UsageError("found no gradio, expected it: pip install -r requirements-demo.txt")
    pick_device(args.device)
    _check_address(args.host, args.port)
    earlier = tempfile.tempdir
    try:
        with tempfile.TemporaryDirectory(prefix="dcinn_page_", ignore_cleanup_errors=True) as name:
            _serve(Path(name).resolve(), args.host, args.port, args.device)
    finally:
        tempfile.tempdir = earlier


def _check_address(host: str, number: int) -> None:
    """Raise UsageError unless the page can be served at this address."""
    try:
        socket.create_server((host, number)).close()
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"--host {host} --port {number}: found '{why}', expected an address that is free") from None


def _serve(folder: Path, host: str, number: int, device: str) -> None:
    stop = threading.Event()
    with asked_to_stop(lambda *_: stop.set()):
        from starlette.middleware import Middleware  # noqa: PLC0415  comes with Gradio

        from .isolation import OnlyFromHere, isolate, refuse_downloads  # noqa: PLC0415

        isolate(folder)
        from .page import build  # noqa: PLC0415  imports Gradio, which reads its environment
        from .visitors import Visitors  # noqa: PLC0415

        refuse_downloads()
        size_limits.ceiling = MOST_UNPACKED
        visitors = Visitors(folder)
        page = build(visitors, device)
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
        print(f"The page is at {page.local_url} (Ctrl-C ends it)", flush=True)
        stop.wait()
        visitors.end()
        page.close(verbose=False)
