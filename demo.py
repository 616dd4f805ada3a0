"""A page to try it on, in a browser on this computer: your images or the samples, on CPU or GPU.

    pip install -r requirements-demo.txt
    python demo.py                                               http://127.0.0.1:7860
    python demo.py --port 8000 --device cuda

It answers this computer only, unless --host says otherwise, asks nobody else for anything, and keeps no upload.
"""

import importlib.util

from utils.commandline.errors import UsageError
from utils.evaluation.parser import evaluation_script


@evaluation_script
def main(argv: list[str] | None = None) -> None:
    """Run with these command line options (sys.argv by default) until Ctrl-C."""
    if importlib.util.find_spec("gradio") is None:
        raise UsageError("found no gradio, expected it: pip install -r requirements-demo.txt")
    from utils.page.server import run_page  # noqa: PLC0415  starlette comes with gradio

    run_page(argv)


if __name__ == "__main__":
    main()
