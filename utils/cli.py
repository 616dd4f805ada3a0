"""What the scripts share: their options, one line for every mistake of the input, the device, the weights."""

import argparse
import functools
import logging
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import cv2
import numpy as np
import torch

from data.arrays import ArrayFile
from data.errors import DataError
from models import DCINN, CheckpointError, load_pretrained
from models.checkpoint import PRETRAINED, holds_config
from models.config import checked_srf

from .runs import Network

BAD_INPUT = 2


class UsageError(ValueError):
    """Options that do not fit each other or the data."""


def door(main: Callable) -> Callable:
    """Wrap a script's main: an input that cannot be used ends it with one line on stderr and exit code 2."""

    @functools.wraps(main)
    def wrapped(argv: list[str] | None = None) -> object:
        logging.getLogger("tifffile").setLevel(logging.CRITICAL)
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a console of few characters, a file name of odd bytes
                stream.reconfigure(errors="replace")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return main(argv)
        except (DataError, CheckpointError, UsageError, FloatingPointError) as error:
            message = str(error)
        except torch.OutOfMemoryError:
            message = "out of GPU memory; fuse by tiles (--tile 512) or on the CPU (--device cpu)"
        except MemoryError:
            message = "out of memory; fuse by tiles (--tile 512)"
        except BrokenPipeError:  # whoever read our output has left, as `| head` does; the results are written
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return None
        except OSError as error:
            where = error.filename or getattr(error, "filename2", None)
            message = f"{where}: {error.strerror}" if where and error.strerror else str(error)
        except RuntimeError as error:
            if not any(words in str(error) for words in ("not enough memory", "can't allocate memory")):
                raise
            message = "out of memory; fuse by tiles (--tile 512)"
        program = Path(sys.modules[main.__module__].__file__ or main.__module__).name
        print(f"{program}: {' '.join(message.split())}", file=sys.stderr)
        raise SystemExit(BAD_INPUT)

    return wrapped


class Parser(argparse.ArgumentParser):
    """An argument parser whose mistakes are one line too, and whose help shows every default there is."""

    def error(self, message: str) -> NoReturn:
        """One line and exit code 2."""
        self.exit(BAD_INPUT, f"{self.prog}: {message}; see --help\n")

    def add_argument(self, *names: str, **options: object) -> argparse.Action:
        """As argparse's, with the default at the end of the help."""
        if options.get("default") not in (None, argparse.SUPPRESS):
            options["help"] = f"{options['help']} (default: %(default)s)"
        return super().add_argument(*names, **options)


def test_parser(task: str, description: str, data_help: str) -> Parser:
    """The options every test script has."""
    parser = Parser(description=description, allow_abbrev=False)
    parser.add_argument("--data", type=Path, help=f"{data_help} (default: the embedded sample)")
    parser.add_argument(
        "--weights",
        help="a name in pretrained/, our file or the authors' file "
        f"(default: pretrained/{task}.pth if it is there, else a seeded start)",
    )
    parser.add_argument("--output", type=Path, default=Path("results") / task, help="folder of the results")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where the network runs")
    parser.add_argument("--tile", type=tile_side, default=0, help="side of tiles in pixels; 0: whole images")
    parser.add_argument(
        "--exact",
        action="store_true",
        help="as many terms of the convolution exponential as needed (default: the ten released ones)",
    )
    parser.add_argument("--seed", type=seed, default=0, help="of the random start, where no weights are loaded")
    parser.add_argument("--limit", type=positive, help="only the first images (default: all)")
    return parser


def _whole(least: int, most: int, expected: str) -> Callable[[str], int]:
    """An argparse type: whole numbers of a range."""

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"found {text[:40]}, expected {expected}")
        return value

    return convert


positive = _whole(1, 2**31, "a whole number of 1 or more")
bit_depth = _whole(1, 32, "a whole number from 1 to 32")
seed = _whole(0, 2**63 - 1, "a whole number from 0 to 2^63 - 1")


def tile_side(text: str) -> int:
    """0 or a tile's side, for argparse."""
    return 0 if text == "0" else _whole(32, 2**31, "0 or at least 32 pixels")(text)


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
    device = pick_device(args.device)
    weights = args.weights or (name if (PRETRAINED / f"{name}.pth").is_file() else None)
    if weights is not None:
        given = {key: getattr(args, key) for key in lacking if getattr(args, key) is not None}
        if not holds_config(weights):
            given = {**lacking, **given}
        task = name.partition("_")[0]
        model = load_pretrained(weights, task=task, device=device, exact=args.exact or None, **given)
        return Network(model, f"DCINN ({Path(weights).stem})", trained=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(args.seed)
        try:
            model = build()
        except ValueError as error:
            raise UsageError(str(error)) from None
    model.exact = args.exact
    return Network(model.to(device).eval(), f"DCINN (untrained, seed {args.seed})", trained=False)


def read_srf(path: Path) -> np.ndarray:
    """A spectral response from .csv, .txt, .npy or .mat (key R or srf): (bands, channels) float64."""
    if not path.is_file():
        raise DataError(path, "no such file", "a spectral response (.csv, .npy, .mat)")
    try:
        if path.suffix.lower() in (".mat", ".h5"):
            file = ArrayFile(path)
            key = next((k for k in ("R", "srf", "SRF") if k in file), None)
            if key is None:
                raise DataError(path, f"the keys {', '.join(k for k in file if k[0] != '_')}", "R or srf")
            table = file.read(key)
        elif path.suffix.lower() == ".npy":
            table = np.load(path, allow_pickle=False)
        else:
            table = np.loadtxt(path, delimiter="," if "," in path.read_text(encoding="utf-8") else None)
    except DataError:
        raise
    except (ValueError, EOFError) as error:
        raise DataError(path, " ".join(str(error).split())[:160], "a (bands, channels) table of numbers") from None
    try:
        return np.array(checked_srf(table))
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None


def quiet(count: int) -> bool:
    """Whether a progress bar would only disturb: no terminal, or a single image."""
    return count < 2 or not sys.stderr.isatty() or os.environ.get("CI") == "true"
