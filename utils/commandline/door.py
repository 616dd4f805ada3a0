"""What every command has: options with their defaults in the help, one line for every mistake of the input."""

import argparse
import functools
import logging
import os
import shlex
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import cv2

from data.errors import DataError
from metrics.sensors import SENSORS, SPELLED

BAD_INPUT, INTERRUPTED = 2, 130
FEWER_PIXELS = "fuse by tiles (--tile 512)"


class UsageError(ValueError):
    """Options that do not fit each other or the data."""


def door(
    main: Callable,
    more: tuple[type[Exception], ...] = (),
    program: str | None = None,
    advice: str = FEWER_PIXELS,
) -> Callable:
    """Wrap a script's main: an input that cannot be used ends it with one line on stderr and exit code 2.

    Args:
        main: takes the options, sys.argv by default.
        more: errors that mean bad input, beside those of the readers and options.
        program: what the line begins with; the script's file by default.
        advice: what to do where memory is short.
    """

    @functools.wraps(main)
    def wrapped(argv: list[str] | None = None) -> object:
        name = program or Path(sys.modules[main.__module__].__file__ or main.__module__).name
        logging.getLogger("tifffile").setLevel(logging.CRITICAL)
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a console of few characters, a file name of odd bytes
                stream.reconfigure(errors="replace")
        try:
            with warnings.catch_warnings(), _ended_by_signal():
                warnings.simplefilter("ignore")
                return main(argv)
        except (DataError, UsageError, FloatingPointError, *more) as error:
            message = str(error)
        except KeyboardInterrupt:
            print(f"{name}: interrupted", file=sys.stderr)
            raise SystemExit(INTERRUPTED) from None
        except MemoryError:
            message = f"out of memory; {advice}"
        except BrokenPipeError:  # whoever read our output has left, as `| head` does; the results are written
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return None
        except OSError as error:
            where = error.filename or getattr(error, "filename2", None)
            message = f"{where}: {error.strerror}" if where and error.strerror else str(error)
        except RuntimeError as error:  # PyTorch's
            if "out of memory" in str(error):
                message = f"out of GPU memory; {advice} or the CPU (--device cpu)"
            elif any(words in str(error) for words in ("not enough memory", "can't allocate memory")):
                message = f"out of memory; {advice}"
            elif "deterministic implementation" in str(error):
                message = f"--deterministic: found {str(error).split('.')[0]}, expected operations that repeat"
            elif "DataLoader worker" in str(error):
                message = "a process that reads the data ended (killed, out of memory?); expected fewer --workers"
            else:
                raise
        print(f"{name}: {' '.join(message.split())}", file=sys.stderr)
        raise SystemExit(BAD_INPUT)

    return wrapped


class Parser(argparse.ArgumentParser):
    """An argument parser whose mistakes are one line too, and whose help shows every default there is."""

    def error(self, message: str) -> NoReturn:
        """One line and exit code 2."""
        self.exit(BAD_INPUT, f"{self.prog}: {message}; see --help\n")

    def parse_args(
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """As argparse's, and `command`, the line that was typed."""
        found = super().parse_args(args, namespace)
        program = self.prog if self.prog.startswith("python") else f"python {self.prog}"
        found.command = f"{program} {shlex.join(sys.argv[1:] if args is None else args)}".strip()
        return found

    def add_argument(self, *names: str, **options: object) -> argparse.Action:
        """As argparse's, with the default at the end of the help."""
        if options.get("default") not in (None, argparse.SUPPRESS):
            options["help"] = f"{options['help']} (default: %(default)s)"
        return super().add_argument(*names, **options)


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


def sensor(text: str) -> str:
    """An option's sensor: a name, "none" for one that nothing is known of, or gains in full."""
    known = {name.upper(): name for name in (*SENSORS, "none")}
    if text.upper() not in known and not SPELLED.fullmatch(text):
        raise argparse.ArgumentTypeError(f"found '{text[:40]}', expected {', '.join(known.values())}, or {SPELLED_AS}")
    return known.get(text.upper(), text)


SPELLED_AS = "gains as 0.3,0.31,0.32,0.29:0.15"
SENSOR_HELP = f"{', '.join(SENSORS)}, none (0.3 in every band), or its MTF at Nyquist, {SPELLED_AS} (:pan)"
bit_depth = _whole(1, 32, "a whole number from 1 to 32")
seed = _whole(0, 2**63 - 1, "a whole number from 0 to 2^63 - 1")


def tile_side(text: str) -> int:
    """0 or a tile's side, for argparse."""
    return 0 if text == "0" else _whole(32, 2**31, "0 or at least 32 pixels")(text)


def span(text: str) -> tuple[int, int]:
    """FIRST:END as (first, end), for argparse; its error for anything else."""
    first, _, end = text.partition(":")
    if not (first.isdecimal() and end.isdecimal() and int(first) < int(end)):
        raise argparse.ArgumentTypeError(f"found {text[:40]}, expected FIRST:END, as in 0:192")
    return int(first), int(end)


def quiet(count: int) -> bool:
    """Whether a progress bar would only disturb: no terminal, or a single image."""
    return count < 2 or not sys.stderr.isatty() or os.environ.get("CI") == "true"


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """A scheduler's signal is as Ctrl-C: what was half written is removed."""
    if threading.current_thread() is not threading.main_thread():  # Python gives signals to that one only
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def asked_to_stop(handler: Callable[..., None]) -> Iterator[None]:
    """Ctrl-C and the signal of a scheduler that ends a job call `handler` instead of ending the program."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
