"""Turns errors into messages: bad input ends a command with one line and exit code 2."""

import functools
import logging
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import cv2

from data.errors import DataError
from metrics.outside_text import shown

from .last_words import fails_first
from .signals import ended_by_signal
from .streams import lasting_streams
from .terminal import harmless_streams

BAD_INPUT, INTERRUPTED = 2, 130
ENDED = "another process ended, expected all of torchrun's to the end"
FEWER_PIXELS = "fuse by tiles (--tile 512)"


class UsageError(ValueError):
    """Options that do not fit each other or the data."""


def single_line_errors(
    main: Callable,
    more: tuple[type[Exception], ...] = (),
    program: str | None = None,
    advice: str = FEWER_PIXELS,
) -> Callable:
    """Return a script's main, wrapped so that bad input ends it with one line on stderr and exit code 2.

    Ctrl-C ends it with exit code 130. Under torchrun only the first process that fails prints the line.

    Args:
        main: function of the options, which are sys.argv's by default.
        more: further errors that mean bad input, beside those of readers and options.
        program: start of the line; by default the name of the script's file.
        advice: what the message suggests if memory is short.
    """

    @functools.wraps(main)
    def wrapped(argv: list[str] | None = None) -> object:
        name = program or Path(sys.modules[main.__module__].__file__ or main.__module__).name
        for library in ("tifffile", "PIL"):
            logging.getLogger(library).setLevel(logging.CRITICAL)
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        lasting_streams()
        try:
            with warnings.catch_warnings(), ended_by_signal(), harmless_streams():
                warnings.simplefilter("ignore")
                return main(argv)
        except KeyboardInterrupt:
            if fails_first():
                print(f"{name}: interrupted", file=sys.stderr)
            raise SystemExit(INTERRUPTED) from None
        except Exception as error:
            message = message_of(error, more, advice)
            if message is None:
                raise
        if fails_first():
            print(f"{shown(name)}: {shown(message)}", file=sys.stderr)
        raise SystemExit(BAD_INPUT)

    return wrapped


def message_of(error: Exception, more: tuple[type[Exception], ...] = (), advice: str = FEWER_PIXELS) -> str | None:
    """Return the line to print for an error of the input; None for an error of the code.

    Args:
        error: the error.
        more, advice: see `single_line_errors`.
    """
    message = None
    if isinstance(error, (DataError, UsageError, FloatingPointError, *more)):
        message = str(error)
    elif isinstance(error, MemoryError):
        message = f"out of memory; {advice}"
    elif isinstance(error, OSError):
        where = error.filename or getattr(error, "filename2", None)
        message = f"{where}: {error.strerror}" if where and error.strerror else str(error)
    elif isinstance(error, RuntimeError):  # PyTorch's
        if "out of memory" in str(error):
            message = f"out of GPU memory; {advice} or the CPU (--device cpu)"
        elif any(words in str(error) for words in ("not enough memory", "can't allocate memory")):
            message = f"out of memory; {advice}"
        elif "deterministic implementation" in str(error):
            message = f"--deterministic: found {str(error).split('.')[0]}, expected operations that repeat"
        elif "DataLoader worker" in str(error):
            message = "a process that reads the data ended (killed, out of memory?); expected fewer --workers"
        elif type(error).__name__.startswith("Dist") or any(name in str(error) for name in ("gloo/", "NCCL")):
            message = "another process of this training ended, or does not answer; see what it printed"
    return None if message is None else " ".join(message.split())
