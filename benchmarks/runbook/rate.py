"""Measures the steps per second of a DCINN training, in a process of its own, as it may run out of memory.

python benchmarks/runbook/rate.py --task hmf --batch 16 --patch 64 --device cuda --output row.json [--graph] ...
"""

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from networks import BUILD, images, stirred

from models.weights.atomic import write_whole
from utils.training.graphs import WARM_UP, recorded_or_plain
from utils.training.objectives import DetailObjective, StructureObjective
from utils.training.recipe import Recipe
from utils.training.settings import Settings
from utils.training.update import Update

IVF_WEIGHTS = (1, 1, 1e-4, 0)  # weights of the loss in the released TNO recipe


def main() -> None:
    """Measure, and write one row as JSON."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add = parser.add_argument
    add("--task", choices=tuple(BUILD), default="hmf", help="task of the network")
    add("--batch", type=int, default=16, help="patches per step")
    add("--patch", type=int, default=64, help="side of a patch in pixels")
    add("--seconds", type=float, default=5.0, help="least time to measure, after the warm-up")
    add("--device", default="cuda", help="device to measure on")
    add("--amp", default="off", help="mixed precision: off, bf16 or fp16")
    add("--compile", default=None, help="mode of torch.compile (default: not compiled)")
    add("--output", type=Path, required=True, help="the .json file to write")
    for switch in ("--tf32", "--graph", "--channels-last"):
        add(switch, action="store_true", help="see the training scripts")
    args = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = args.tf32
    torch.set_flush_denormal(True)
    device, cuda = torch.device(args.device), args.device == "cuda"
    layout = torch.channels_last if args.channels_last else torch.contiguous_format
    model = stirred(BUILD[args.task][0], args.device).train().to(memory_format=layout)
    a, b = (x.contiguous(memory_format=layout) for x in images(args.task, args.batch, (args.patch,) * 2, args.device))
    objective = StructureObjective(model, IVF_WEIGHTS) if args.task == "ivf" else DetailObjective(model, 0.0)
    sources = [a, b] if args.task == "ivf" else [a, b, a]
    objective.start({"base_image": a, "guide": b})
    objective.to(device)
    settings = Settings(Path(), device, Recipe(1e-5, 1, args.batch, args.patch), amp=args.amp, compile=args.compile)
    settings.graph = args.graph
    update = Update(objective, settings)
    if args.compile:
        update.run = torch.compile(objective, mode=args.compile)
    step = recorded_or_plain(update) if args.graph else update

    def synchronised() -> float:
        if cuda:
            torch.cuda.synchronize()
        return time.perf_counter()

    begun = synchronised()
    for _ in range(WARM_UP + 2 if cuda else 1):
        terms, _ = step(sources)
    start, count = synchronised(), 0
    while (now := synchronised()) - start < args.seconds or not count:
        for _ in range(10 if cuda else 1):
            terms, _ = step(sources)
            count += 1
    if not bool(torch.isfinite(terms).all()):
        raise SystemExit(f"found a loss of {float(terms[0])}, expected a finite one")
    rate = count / (now - start)
    row = {"batch": args.batch, "steps_per_s": rate, "samples_per_s": rate * args.batch}
    row["warm_up_s"], row["loss"] = start - begun, float(terms[0])
    row["peak_GB"] = torch.cuda.max_memory_reserved() / 1e9 if cuda else None
    row["memory_GB"] = torch.cuda.mem_get_info()[1] / 1e9 if cuda else None
    write_whole(args.output, json.dumps(row).encode())


if __name__ == "__main__":
    main()
