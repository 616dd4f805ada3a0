"""--stretch-infrared and --infrared-range, of every command that reads infrared images."""

import argparse
import math

from data.files.infrared_range import STRETCH


def add_infrared_range(parser: argparse.ArgumentParser, prefix: str = "") -> None:
    """The two options, of which one may be given; `infrared_range` of the result is as `PairedImages` takes it.

    Args:
        parser: to add them to.
        prefix: of their help.
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
        help=f"{prefix}what becomes 0..1 in the infrared images, in their own unit (counts, Kelvin, degrees)",
    )


def _low_high(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low, high = 0.0, 0.0
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise argparse.ArgumentTypeError(f"found {text[:40]}, expected LO,HI, as in 280,310")
    return low, high
