"""The options that all test scripts share."""

from collections.abc import Callable
from pathlib import Path

from models import CheckpointError
from utils.commandline.errors import single_line_errors
from utils.commandline.parser import Parser, positive, seed, tile_side

from .report import add_verbose
from .sharing import by_all_processes

UNTRAINED = "untrained"  # value of --weights for random weights from --seed


def evaluation_script(main: Callable, **options: str) -> Callable:
    """Return a test script's main, wrapped by `by_all_processes` and `single_line_errors`, which takes the options."""
    return single_line_errors(by_all_processes(main), more=(CheckpointError,), **options)


def evaluation_parser(task: str, description: str, data_help: str, others: str = "", scene: str = "") -> Parser:
    """Return a parser with the options of every test script.

    Args:
        task: name of the default weights, pretrained/TASK.pth, and output folder, results/TASK.
        description: the script's description in its help.
        data_help: the help of --data.
        others: further default weights, for the help of --weights.
        scene: the options of a scene that is fused by tiles, if there are any.
    """
    parser = Parser(description=description, allow_abbrev=False)
    parser.add_argument("--data", type=Path, help=f"{data_help} (default: the embedded sample)")
    parser.add_argument(
        "--weights",
        help=f"a name in pretrained/, our file, the authors' file, or '{UNTRAINED}' for random weights "
        f"(default: pretrained/{task}.pth{others}, if it exists)",
    )
    add_run_options(parser, task)
    parser.add_argument(
        "--tile",
        type=tile_side,
        default=0,
        help=f"side of tiles in pixels; 0: whole images{f', and 512 with {scene}' if scene else ''}",
    )
    parser.add_argument(
        "--pooling",
        choices=("scene", "tile"),
        default="scene",
        help="with --tile: whether squeeze-excite pools over the whole image (scene) or over each tile",
    )
    parser.add_argument(
        "--exact",
        action="store_true",
        help="sum as many terms of the convolution exponential as needed (default: the ten released ones)",
    )
    return parser


def add_run_options(parser: Parser, folder: str) -> None:
    """Add the options of every script that fuses images; `folder` is the folder in results/ of the default --output."""
    parser.add_argument("--output", type=Path, default=Path("results") / folder, help="folder of the results")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where the network runs")
    parser.add_argument("--seed", type=seed, default=0, help="random seed of a network without trained weights")
    parser.add_argument("--limit", type=positive, help="number of images to fuse, from the first (default: all)")
    parser.add_argument("--no-metrics", action="store_true", help="only fuse, without measuring")
    add_verbose(parser)
