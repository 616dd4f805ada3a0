"""Trainings killed with kill -9 at random moments: is each restartable, and are the final weights equal to the bit?

    python -m tests.kills [--kills N] [--seed S] [--only SETUP ...]

Small trainings on a CPU: with processes that read the data, bfloat16, in parts and recomputed, in two processes. Exit
code 1 where one differs from the undisturbed training. Linux only. The seed decides how long each one lives, not what
it does in that time.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.kills.lives import SETUPS, killed, undisturbed
from utils.commandline.errors import single_line_errors
from utils.commandline.parser import Parser, positive, seed


def main(argv: list[str] | None = None) -> list[str]:
    """Kill, start again and print; returns what differs."""
    args = _options(argv)
    rng, bad, done = random.Random(args.seed), [], 0
    with tempfile.TemporaryDirectory() as place:
        times, number = {}, 0
        while done < args.kills:
            name = args.only[number % len(args.only)]
            setup, whole = SETUPS[name], Path(place) / name
            if name not in times:
                times[name] = undisturbed(setup, whole)
                print(f"{name}: begins after {times[name][0]:.1f} s, ends after {times[name][1]:.1f} s", flush=True)
            kills = min(rng.randint(1, 2), args.kills - done)
            try:
                life = killed(setup, Path(place) / f"{name} {number}", whole, times[name], kills, rng)
            except AssertionError as error:
                bad.append(f"{name}: {error}")
                done += kills
                print(f"{name}: NOT RESTARTABLE: {error}", flush=True)
            else:
                done += len(life.moments)
                for moment, held in life.moments:
                    print(f"{name}: killed after {moment:.2f} s, left {held}", flush=True)
                bad += [f"{name}: {what}" for what in life.differences]
                print(f"{name}: {', '.join(life.differences) or 'equal to the bit'}", flush=True)
            number += 1
    print(f"{done} kills in {number} trainings, seed {args.seed}: {len(bad)} differences")
    return bad


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--kills", type=positive, default=20, help="in all trainings together")
    parser.add_argument("--seed", type=seed, default=0, help="of the moments")
    parser.add_argument(
        "--only", nargs="+", choices=tuple(SETUPS), default=list(SETUPS), metavar="SETUP", help="setups"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(bool(single_line_errors(main)()))
