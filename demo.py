"""A web page to try the networks in a browser on this computer: on your images or the samples, on CPU or GPU.

    pip install -r requirements-demo.txt
    python demo.py                                               http://127.0.0.1:7860
    python demo.py --port 8000 --device cuda

The page is served to this computer only, unless --host is set. It contacts no other computer, and keeps no upload.
"""

from utils.evaluation.parser import evaluation_script
from utils.page.server import run_page


@evaluation_script
def main(argv: list[str] | None = None) -> None:
    """Run with these command line options (sys.argv by default) until Ctrl-C."""
    run_page(argv)


if __name__ == "__main__":
    main()
