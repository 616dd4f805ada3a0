"""The parser of every command, and the types of common options."""

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from metrics.outside_text import shown
from metrics.sensors import SENSORS, SPELLED

from .errors import BAD_INPUT
from .last_words import fails_first


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, and whose help shows every default."""

    def error(self, message: str) -> NoReturn:
        """Print one line and end with exit code 2."""
        self.exit(BAD_INPUT, f"{self.prog}: {shown(message)}; see --help\n" if fails_first() else None)

    def parse_args(
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Return the options as argparse does, with `command`, the command line as typed."""
        found = super().parse_args(args, namespace)
        program = self.prog if self.prog.startswith("python") else f"python {self.prog}"
        found.command = f"{program} {shlex.join(sys.argv[1:] if args is None else args)}".strip()
        return found

    def add_argument(self, *names: str, **options: object) -> argparse.Action:
        """Add an argument and return its action as argparse does, with its default at the end of the help.

        A help that names the default itself stays as it is.
        """
        default = options.get("default")
        if default not in (None, argparse.SUPPRESS) and "(default: " not in options["help"]:
            shown = " ".join(map(str, default)) or "none" if isinstance(default, list) else "%(default)s"
            options["help"] = f"{options['help']} (default: {shown})"
        return super().add_argument(*names, **options)


def _whole(least: int, most: int, expected: str) -> Callable[[str], int]:
    """Return an argparse type for whole numbers from `least` to `most`; messages call them `expected`."""

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
    """Return the sensor in `text`, for argparse: a known name, "none" for an unknown sensor, or its gains."""
    known = {name.upper(): name for name in (*SENSORS, "none")}
    if text.upper() not in known and not SPELLED.fullmatch(text):
        raise argparse.ArgumentTypeError(f"found '{text[:40]}', expected {', '.join(known.values())}, or {SPELLED_AS}")
    return known.get(text.upper(), text)


SPELLED_AS = "gains as 0.3,0.31,0.32,0.29:0.15"
SENSOR_HELP = (
    f"sensor, one of {', '.join(SENSORS)}, none (0.3 in every band), or its MTF at Nyquist, {SPELLED_AS} (:pan)"
)
bit_depth = _whole(1, 32, "a whole number from 1 to 32")
port = _whole(1, 65535, "a whole number from 1 to 65535")
seed = _whole(0, 2**63 - 1, "a whole number from 0 to 2^63 - 1")


def tile_side(text: str) -> int:
    """Return a tile's side in pixels, 0 or at least 32, for argparse."""
    return 0 if text == "0" else _whole(32, 2**31, "0 or at least 32 pixels")(text)


def number(text: str) -> float:
    """Return any number, including nan and infinity, for argparse."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"found '{text[:40]}', expected a number") from None


def span(text: str) -> tuple[int, int]:
    """Return FIRST:END as (first, end), first < end, for argparse."""
    first, _, end = text.partition(":")
    if not (first.isdecimal() and end.isdecimal() and int(first) < int(end)):
        raise argparse.ArgumentTypeError(f"found {text[:40]}, expected FIRST:END, as in 0:192")
    return int(first), int(end)
