"""The options that the test scripts share."""

from collections.abc import Callable
from pathlib import Path

from models import CheckpointError
from utils.commandline.errors import single_line_errors
from utils.commandline.parser import Parser, positive, seed, tile_side

from .report import add_verbose
from .sharing import by_all_processes

UNTRAINED = "untrained"  # for --weights: a seeded start


def evaluation_script(main: Callable, **options: str) -> Callable:
    """Wrap a test script's main: see `by_all_processes`, and `single_line_errors` for the options."""
    return single_line_errors(by_all_processes(main), more=(CheckpointError,), **options)


def evaluation_parser(task: str, description: str, data_help: str) -> Parser:
    """The options every test script has."""
    parser = Parser(description=description, allow_abbrev=False)
    parser.add_argument("--data", type=Path, help=f"{data_help} (default: the embedded sample)")
    parser.add_argument(
        "--weights",
        help=f"a name in pretrained/, our file, the authors' file, or '{UNTRAINED}' for a seeded start "
        f"(default: pretrained/{task}.pth, where it is there)",
    )
    add_run_options(parser, task)
    parser.add_argument("--tile", type=tile_side, default=0, help="side of tiles in pixels; 0: whole images")
    parser.add_argument(
        "--pooling",
        choices=("scene", "tile"),
        default="scene",
        help="squeeze-excite of an image that is fused by tiles: the means of the image, or of each tile",
    )
    parser.add_argument(
        "--exact",
        action="store_true",
        help="as many terms of the convolution exponential as needed (default: the ten released ones)",
    )
    return parser


def add_run_options(parser: Parser, folder: str) -> None:
    """The options of everything that fuses images of a folder."""
    parser.add_argument("--output", type=Path, default=Path("results") / folder, help="folder of the results")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where the network runs")
    parser.add_argument("--seed", type=seed, default=0, help="of the random start: of a network without weights")
    parser.add_argument("--limit", type=positive, help="only the first images (default: all)")
    parser.add_argument("--no-metrics", action="store_true", help="fuse, and measure nothing")
    add_verbose(parser)
