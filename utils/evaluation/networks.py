"""What the test scripts share: their options, the device, the weights."""

import argparse
import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from models import DCINN, CheckpointError, load_pretrained
from models.weights.checkpoint import holds_config
from models.weights.files import PRETRAINED, find_weights
from utils.commandline import door as entry
from utils.commandline.door import (
    BAD_INPUT,
    SENSOR_HELP,
    Parser,
    UsageError,
    bit_depth,
    positive,
    quiet,
    seed,
    sensor,
    span,
    tile_side,
)
from utils.commandline.spectral_response import read_srf

from .evaluation import Network, label_of

__all__ = [
    "BAD_INPUT",
    "SENSOR_HELP",
    "Parser",
    "UsageError",
    "bit_depth",
    "positive",
    "quiet",
    "read_srf",
    "seed",
    "sensor",
    "span",
]
door = functools.partial(entry.door, more=(CheckpointError,))
UNTRAINED = "untrained"


def test_parser(task: str, description: str, data_help: str) -> Parser:
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


def read_through(items: Sequence, count: int, unit: str) -> None:
    """Read the first `count` items once, so that one that cannot be read is found before any is fused."""
    if count > 1 and not isinstance(items, list):
        for index in tqdm(range(count), desc="reading", unit=unit, disable=quiet(count)):
            items[index]


def pick_device(name: str) -> torch.device:
    """The device of --device; UsageError where CUDA is wanted and not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda: found no CUDA GPU, expected one; use --device cpu or auto")
    return torch.device(name)


def pick_model(args: argparse.Namespace, name: str, build: Callable[[], DCINN], **lacking: object) -> Network:
    """The network of a test script, on its device.

    Args:
        args: the parsed options.
        name: "ps", "hmf", "ivf_rs", "ivf_tno": the file in pretrained/ to take by default.
        build: a fresh network, for a seeded start where there is no file.
        lacking: srf or base_rule for the authors' files, which lack it, where the options give none.
    """
    weights = args.weights or (name if (PRETRAINED / f"{name}.pth").is_file() else UNTRAINED)
    return untrained(args, build) if weights == UNTRAINED else trained(args, weights, name, **lacking)


def trained(args: argparse.Namespace, weights: str, name: str, **lacking: object) -> Network:
    """The network of a file or of a name in pretrained/; as `pick_model`."""
    device = pick_device(args.device)
    given = {key: getattr(args, key) for key in lacking if getattr(args, key) is not None}
    if not holds_config(weights):
        given = {**lacking, **given}
    task = name.partition("_")[0]
    model = load_pretrained(weights, task=task, device=device, exact=args.exact or None, **given)
    file = find_weights(weights)
    return Network(model, label_of(file.stem, model.config), trained=True, name=file.stem, file=file)


def untrained(args: argparse.Namespace, build: Callable[[], DCINN]) -> Network:
    """The network that `build` gives from --seed."""
    device = pick_device(args.device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(args.seed)
        try:
            model = build()
        except ValueError as error:
            raise UsageError(str(error)) from None
    model.exact = args.exact
    return Network(model.to(device).eval(), label_of(f"untrained, seed {args.seed}", model.config), trained=False)
