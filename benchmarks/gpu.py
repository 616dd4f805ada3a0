"""A runbook for a GPU that is had for some minutes: in order of worth, each step with a time limit of its own.

    python benchmarks/gpu.py --minutes 25 --output DIR [--hmf CAVE.h5] [--ps TRAIN.h5] [--ivf PAIRS_DIR]
                             [--images IMAGES_DIR] [--device cuda] [--only STEP ...] [--small]

1 checks    the tests of tests/cuda_ready and tests/networks, then every network in both directions beside float64
2 speed     speed.py, plain and ours, inference and training, memory, with TF32 and without
3 switches  steps a second of the hmf training by its switches: what --graph, --compile, bf16, TF32, ... give
4 batch     the largest hmf batch whose step fits into four fifths of the memory
5 hmf       the hmf schedule, a checkpoint every two minutes and a validation at the end
6 ps, ivf   the same
7 defusion  DeFusion++

The time that a step leaves goes to the next ones; trainings that are cut short go on where they stopped, in this call
or in the next one with the same --output, which skips what is done. Every step writes a log, and its result stands in
DIR/results.json and DIR/report.md as soon as there is one. Data: prepared patches (`python -m data hmf`), small enough
to carry; without them the embedded sample, which says nothing about quality. --small runs all steps in miniature, on a
CPU too: it shows that the runbook works, nothing about a GPU.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch
from runbook.diary import Diary
from runbook.plan import Plan
from runbook.steps import STEPS

from utils.commandline import terminal
from utils.commandline.device import hardware, pick_device
from utils.commandline.errors import UsageError
from utils.commandline.parser import Parser
from utils.evaluation.parser import evaluation_script


def say(line: str) -> None:
    """At once, into a log, too."""
    terminal.say(line)
    sys.stdout.flush()


def main(argv: list[str] | None = None) -> dict:
    """Run what is not done yet until the time is over; returns the results."""
    parser = Parser(description=__doc__.splitlines()[0], allow_abbrev=False)
    add = parser.add_argument
    add("--minutes", type=float, default=25.0, help="that this call may take")
    add("--output", type=Path, required=True, help="folder of logs, trainings and results; again to go on")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where it runs")
    add("--hmf", type=Path, help="prepared hmf patches, or CAVE's folder (default: the embedded sample)")
    add("--ps", type=Path, help="prepared ps patches, or a scene (default: the embedded sample)")
    add("--ivf", type=Path, help="folder of infrared-visible pairs (default: the embedded sample)")
    add("--images", type=Path, help="folder of photographs for DeFusion++ (default: the embedded sample)")
    add("--only", nargs="+", choices=list(STEPS), help="these steps alone")
    add("--small", action="store_true", help="all steps in miniature")
    args = parser.parse_args(argv)
    if not 0 < args.minutes <= 24 * 60:
        raise UsageError(f"--minutes: found {args.minutes:g}, expected over 0, up to 1440")
    for name in ("hmf", "ps", "ivf", "images"):
        path = getattr(args, name)
        if path is not None and not path.exists():
            raise UsageError(f"--{name}: found no {path}, expected a file or folder")
        setattr(args, name, path and path.resolve())  # the steps run in the project's folder
    args.output = args.output.resolve()
    device = pick_device(args.device)
    data = {name: getattr(args, name) for name in ("hmf", "ps", "ivf", "images")}
    if args.small and any(data.values()):
        raise UsageError("--small: found beside data, expected the embedded sample alone")
    about = {"hardware": hardware(device), "device": device.type, "torch": torch.__version__, "small": args.small}
    about["data"] = {name: str(path.resolve()) if path else None for name, path in data.items()}
    diary = Diary(args.output, about)
    shares = {name: step.share for name, step in STEPS.items()}
    plan = Plan(device.type, args.small, data, args.output, 60 * args.minutes, shares)
    for name in args.only or STEPS:
        if diary.done(name):
            say(f"{name}: done before")
        elif plan.left() <= 0:
            say(f"{name}: no time left; the same command goes on here")
        else:
            say(f"{name}: up to {plan.limit(name):.0f} s of {plan.left():.0f} s left")
            with diary.step(name) as result:
                STEPS[name].run(plan, diary, result)
            say(f"{name}: {diary.line(name)}")
    say(f"results: {args.output / 'report.md'}")
    return diary.results


if __name__ == "__main__":
    evaluation_script(main, advice="take --small")()
