"""Damaged and strange files for every reader: does each end as read, or as one clear line?

    python -m tests.fuzzing [--inputs N] [--seed S] [--seconds T] [--only KIND ...] [--keep DIR] [--output FILE]

Small valid files of every kind are cut, flipped, spliced, grafted, or written with another meaning (rank, type, names,
declared sizes, pickled objects), and read in a process of its own. An input is "read", "refused" (an error of the
project's, one line that names the file) or a failure: another exception, noise on stderr, a process that dies or
hangs, memory over 1 GiB, code in the file that is run, files left behind. Exit code 1 where there are failures.
Linux only. The same seed gives the same inputs.
"""

import argparse
import json
import math
import platform
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from importlib.metadata import distributions, version
from pathlib import Path

import h5py

from tests.fuzzing.kinds import KINDS, Inputs, heads
from tests.fuzzing.workers import Verdict, Worker
from utils.commandline.errors import single_line_errors
from utils.commandline.parser import Parser, positive, seed

COLUMNS = ("inputs", "read", "refused", "failures")


def judged(verdicts: list[Verdict]) -> str:
    """The column of an input: a failure of any reader counts, else it was read where any reader took it."""
    kinds = {verdict.kind for verdict in verdicts}
    return "failures" if "failed" in kinds else "read" if "read" in kinds else "refused"


def fuzz(
    name: str,
    inputs: int,
    seed: int,
    worker: Worker,
    scratch: Path,
    seconds: float = math.inf,
    keep: Path | None = None,
    first: int = 0,
) -> tuple[Counter, dict[str, list[int]]]:
    """Try the inputs of one kind.

    Args:
        name: of `fuzzing.kinds.KINDS`.
        inputs: how many.
        seed: of the random numbers.
        worker: that reads.
        scratch: a folder that is there.
        seconds: after which no further input is tried.
        keep: a folder for one input of each failure.
        first: the number of the first one.

    Returns:
        How many ended in which column, and the failures, numbers in them as #, with the numbers of their inputs.
    """
    made = Inputs(name, seed, scratch, worker.mark)
    before = heads(seed, scratch)
    counts, failures, end = Counter(), {}, time.monotonic() + seconds
    for number in range(first, first + inputs):
        if time.monotonic() > end:
            break
        path = scratch / f"{name.replace(' ', '_')}_{number}{made.kind.suffix}"
        made.write(path, number, before)
        verdicts = [worker.judge(reader, path) for reader in made.kind.readers]
        counts.update(("inputs", judged(verdicts)))
        for reader, verdict in zip(made.kind.readers, verdicts, strict=True):
            if verdict.kind == "failed":
                why = re.sub(r"0x[0-9a-f]+|\d+", "#", f"{reader}: {verdict.why.replace(str(scratch), '')}")[:160]
                if keep is not None and why not in failures:
                    (shutil.copytree if path.is_dir() else shutil.copy)(path, keep / path.name)
                failures.setdefault(why, []).append(number)
        (shutil.rmtree if path.is_dir() else Path.unlink)(path)
    return counts, failures


def main(argv: list[str] | None = None) -> dict:
    """Try, print and write; returns what the JSON file holds."""
    args = _options(argv)
    print(f"| | {' | '.join(COLUMNS)} |\n|---|{'---:|' * len(COLUMNS)}", flush=True)
    rows, failures, start = {}, {}, time.perf_counter()
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder) / "files"
        scratch.mkdir()
        with Worker(Path(folder) / "worker", Path(folder) / "mark") as worker:
            for name in args.only:
                share = args.seconds / len(args.only)
                counts, found = fuzz(name, args.inputs, args.seed, worker, scratch, share, args.keep, args.first)
                rows[name] = {column: counts[column] for column in COLUMNS}
                failures[name] = found
                print(f"| {name} | {' | '.join(str(n) for n in rows[name].values())} |", flush=True)
                for why, numbers in found.items():
                    print(f"    {len(numbers)} x {why} (input {numbers[0]})", flush=True)
        started = worker.started
    result = {
        "seed": args.seed,
        "command": args.command,
        "seconds": round(time.perf_counter() - start),
        "workers started": started,
        "versions": _versions(),
        "kinds": rows,
        "failures": failures,
    }
    total = {column: sum(row[column] for row in rows.values()) for column in COLUMNS}
    print(f"| all | {' | '.join(str(n) for n in total.values())} |  seed {args.seed}, {result['seconds']} s")
    if args.output:
        args.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return result


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--inputs", type=positive, default=2000, help="of each kind")
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--seed", type=seed, default=0, help="of the inputs")
    parser.add_argument("--seconds", type=float, default=math.inf, help="for all kinds together, at most")
    parser.add_argument("--only", nargs="+", choices=tuple(KINDS), default=list(KINDS), metavar="KIND", help="kinds")
    parser.add_argument("--keep", type=Path, help="folder for an input of each failure")
    parser.add_argument("--output", type=Path, help="JSON file of the counts")
    return parser.parse_args(argv)


def _versions() -> dict[str, str]:
    packages = ("numpy", "scipy", "h5py", "opencv-python-headless", "pillow", "tifffile", "torch")
    found = {name: version(name) for name in packages if any(distributions(name=name))}
    return {"python": platform.python_version(), "hdf5": h5py.version.hdf5_version, **found}


if __name__ == "__main__":
    outcome = single_line_errors(main)()
    sys.exit(any(outcome["failures"].values()))
