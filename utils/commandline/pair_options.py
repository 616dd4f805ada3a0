"""Options for infrared-visible pairs: the images, and the range of the infrared ones."""

import argparse
import math

from data import PairedImages
from data.files.infrared_range import STRETCH

from .errors import UsageError


def add_infrared_range(parser: argparse.ArgumentParser, prefix: str = "") -> None:
    """Add two exclusive options, --stretch-infrared and --infrared-range; both set `infrared_range` of `PairedImages`.

    Args:
        parser: the parser to add them to.
        prefix: start of their help.
    """
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--stretch-infrared",
        dest="infrared_range",
        action="store_const",
        const=STRETCH,
        help=f"{prefix}stretch each infrared image, its 0.5th to 99.5th percentile to 0..1",
    )
    either.add_argument(
        "--infrared-range",
        dest="infrared_range",
        type=_low_high,
        metavar="LO,HI",
        help=f"{prefix}limits that are mapped to 0..1 in the infrared images, in their unit (counts, Kelvin, degrees)",
    )


def add_resize_infrared(parser: argparse.ArgumentParser, prefix: str = "") -> None:
    """Add the option --resize-infrared; `prefix` is the start of its help."""
    parser.add_argument(
        "--resize-infrared",
        action="store_true",
        help=f"{prefix}resample infrared images whose sides differ from the visible ones' by one factor "
        "(no registration)",
    )


def asked_pairs(args: argparse.Namespace, guess: bool = True) -> PairedImages:
    """Return the pairs of --data, or of --visible and --infrared.

    Args:
        args: the options, with these three, `bits`, `infrared_range` and `resize_infrared`.
        guess: see `PairedImages`.

    Raises:
        UsageError: if neither --data nor both of the others are given.
        DataError: see `PairedImages`.
    """
    if args.data is None and (args.visible is None or args.infrared is None):
        raise UsageError("--visible, --infrared: found not both, expected both, or --data with both in it")
    return PairedImages(
        args.data,
        visible=args.visible,
        infrared=args.infrared,
        bits=args.bits,
        infrared_range=args.infrared_range,
        guess=guess,
        resize_infrared=args.resize_infrared,
    )


def _low_high(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low, high = 0.0, 0.0
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise argparse.ArgumentTypeError(f"found {text[:40]}, expected LO,HI, as in 280,310")
    return low, high
