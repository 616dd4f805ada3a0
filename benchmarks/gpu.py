"""Runs all measurements and trainings that need a GPU, most valuable first, in the minutes that are available.

    python benchmarks/gpu.py --minutes 25 --output DIR [--hmf CAVE.h5] [--ps TRAIN.h5] [--ivf PAIRS_DIR]
                             [--images IMAGES_DIR] [--device cuda] [--only STEP ...] [--small]

1 checks    compares every network, in both directions, with float64; runs tests/cuda_ready and tests/networks
2 speed     speed.py: time and memory of inference and training, plain and ours, with and without TF32
3 switches  steps per second of the hmf training with --graph, --compile, --tf32, bf16, ...
4 batch     the fastest hmf batch whose training step takes at most four fifths of the memory
5 hmf       the hmf training, with a checkpoint every two minutes and validations
6 ps, ivf   the ps and ivf trainings
7 defusion  the DeFusion++ training

Every step has a time limit of its own, and time that it leaves goes to the steps after it. A further call with the same
--output skips finished steps and continues trainings that were cut short. Every step writes a log, and its results are
in DIR/results.json and DIR/report.md as soon as there are any. The data are prepared patches (`python -m data hmf`), or
else the embedded sample, whose trainings say nothing about quality. --small runs all steps in miniature, also on a CPU:
it shows that this script works, but its numbers say nothing about a GPU.
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
    """Print a line and flush it, so that it appears at once when stdout is a file."""
    terminal.say(line)
    sys.stdout.flush()


def main(argv: list[str] | None = None) -> dict:
    """Run the unfinished steps until the time is over; returns the results, step -> result."""
    parser = Parser(description=__doc__.splitlines()[0], allow_abbrev=False)
    add = parser.add_argument
    add("--minutes", type=float, default=25.0, help="minutes that this call may take")
    add("--output", type=Path, required=True, help="folder of logs, trainings and results; an earlier one is continued")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="device to run on")
    add("--hmf", type=Path, help="prepared hmf patches, or CAVE's folder (default: the embedded sample)")
    add("--ps", type=Path, help="prepared ps patches, or a scene (default: the embedded sample)")
    add("--ivf", type=Path, help="folder of infrared-visible pairs (default: the embedded sample)")
    add("--images", type=Path, help="folder of photographs for DeFusion++ (default: the embedded sample)")
    add("--only", nargs="+", choices=list(STEPS), help="steps to run (default: all)")
    add("--small", action="store_true", help="run all steps in miniature")
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
