"""How fast, in how much memory? This network beside the plain one of the same weights, in one run.

    python benchmarks/speed.py [--tasks ps hmf ivf] [--sizes 64 256 480x640] [--training] [--device cuda] [--output DIR]

Inference of one image a size; with --training one step of forward and backward (ps: both directions) of --batch
patches a size, without and with recomputed blocks. Calls of all variants alternate, medians of --repeats. Peak memory
is that of living tensors (CPU: summed from the profiler's events; CUDA: the allocator's), FLOP as counted by PyTorch,
beside the rate of a large matrix product in the same run. Images are smooth random ones. Weights: --weights, or a fresh
network, stirred so that no part is zero. --output draws time and memory against the size.
"""

import argparse
import json
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler's chatter

import torch
from matplotlib.figure import Figure
from torch.nn import functional
from torch.profiler import profile
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from variants import inference, training

from data.simulate import spectral_response
from models import DCINN, dcinn_hmf, dcinn_ivf, dcinn_ps, load_pretrained
from utils.commandline.device import pick_device
from utils.commandline.errors import UsageError
from utils.commandline.parser import Parser, positive
from utils.evaluation.parser import evaluation_script
from utils.output.result_folder import ResultFolder

BUILD = {
    "ps": (lambda: dcinn_ps(8), (8, 1)),
    "hmf": (lambda: dcinn_hmf(srf=spectral_response()), (31, 3)),
    "ivf": (lambda: dcinn_ivf("max"), (1, 1)),
}
MATRIX = 2048


def stirred(build: Callable[[], DCINN], device: str) -> DCINN:
    """A network none of whose parts is zero or the identity; convolution exponentials of the norm of trained ones."""
    torch.manual_seed(0)
    model = build()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("kernel"):
                parameter.normal_().mul_(0.6 / (parameter.shape[0] * 25) ** 0.5)
            elif name.endswith("conv_out.weight"):
                parameter.normal_().mul_(0.3 / parameter[0].numel() ** 0.5)
    return model.to(device).eval()


def peak_memory(call: Callable, device: str) -> float:
    """MB of living tensors at most, above those that live before the call."""
    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        torch.cuda.synchronize()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    with profile(profile_memory=True) as record:
        call()
    living = most = 0
    for event in record.profiler.kineto_results.events():
        if event.name() == "[memory]":
            living += event.nbytes()
            most = max(most, living)
    return most / 2**20


def seconds(call: Callable, device: str, clock: Callable[[], float] = time.perf_counter) -> float:
    """Of one call."""
    start = clock()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def measure(task: str, size: tuple[int, int], args: argparse.Namespace) -> list[dict]:
    """One row a variant."""
    build, channels = BUILD[task]
    weights = args.weights.get(task)
    model = load_pretrained(weights, task=task, device=args.device) if weights else stirred(build, args.device)
    if (model.config.bands, model.config.guide_bands) != channels:
        raise UsageError(f"{weights}: found {model.config.bands} bands, expected {channels[0]}")
    if any(model.padded_side(side) != side for side in size):
        raise UsageError(f"--sizes: found {size[0]}x{size[1]}, expected multiples of {model.multiple} for {task}")
    batch = args.batch if args.training else 1
    torch.manual_seed(1)
    coarse = [torch.rand(batch, c, *(-(-side // 8) for side in size), device=args.device) for c in channels]
    a, b = (functional.interpolate(x, size=size, mode="bilinear") for x in coarse)
    calls = training(model, a, b, args.at_once, args.bf16) if args.training else inference(model, a, b, args.bf16)
    with FlopCounterMode(display=False) as counter:
        results = {"plain": calls["plain"]()}
    results.update({name: call() for name, call in calls.items() if name != "plain"})
    clock = time.process_time if args.cpu_seconds else time.perf_counter
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(args.repeats):
        for name, call in calls.items():
            times[name].append(seconds(call, args.device, clock))
    rows = []
    for name, call in calls.items():
        spent = statistics.median(times[name])
        row = {"task": task, "size": list(size), "batch": batch, "training": args.training}
        row.update(variant=name, seconds=spent, all_seconds=times[name])
        row["speedup"] = statistics.median(times["plain"]) / spent
        row["peak_MB"] = peak_memory(call, args.device)
        row["plain_GFLOP_per_s"] = counter.get_total_flops() / spent / 1e9
        row["difference"] = float((results[name] - results["plain"]).abs().max())
        rows.append(row)
    return rows


def main(argv: list[str] | None = None) -> list[dict]:
    """Measure and print; returns the rows."""
    parser = Parser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--tasks", nargs="+", choices=tuple(BUILD), default=list(BUILD), help="which networks")
    parser.add_argument("--sizes", nargs="+", type=_size, default=[(64, 64), (256, 256)], help="256, or 480x640")
    parser.add_argument("--weights", nargs="+", type=_weights, default=[], help="ps=FILE hmf=FILE ivf=FILE")
    parser.add_argument("--training", action="store_true", help="training steps instead of inference")
    parser.add_argument("--batch", type=positive, default=2, help="patches of a training step")
    parser.add_argument("--at-once", type=positive, help="training: also with so many patches at once")
    parser.add_argument("--bf16", action="store_true", help="also in bfloat16 (autocast)")
    parser.add_argument("--repeats", type=positive, default=5, help="of every measurement; the median counts")
    parser.add_argument("--cpu-seconds", action="store_true", help="of the process, where others use the machine too")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where it runs")
    parser.add_argument("--output", type=Path, help="folder for speed.json and speed.png (default: print only)")
    args = parser.parse_args(argv)
    args.weights = dict(args.weights)
    if args.at_once and not args.training:
        raise UsageError("--at-once: found without --training, expected with it")
    pick_device(args.device)
    with ResultFolder(args.output) if args.output else nullcontext() as folder:
        return compare(args, folder)


def compare(args: argparse.Namespace, folder: ResultFolder | None) -> list[dict]:
    """Measure, print, write."""
    torch.set_flush_denormal(True)
    square = torch.rand(MATRIX, MATRIX, device=args.device)
    best = min(seconds(lambda: square @ square, args.device) for _ in range(5))
    print(
        f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}"
    )
    print(f"matrix product {MATRIX}x{MATRIX}: {2 * MATRIX**3 / best / 1e9:.0f} GFLOP/s\n")
    print("| task | size | variant | seconds | times plain | peak MB | GFLOP/s of plain's | difference |")
    print("|---|---:|---|---:|---:|---:|---:|---:|")
    rows = []
    for task in args.tasks:
        for size in args.sizes:
            for row in measure(task, size, args):
                rows.append(row)
                numbers = f"{row['seconds']:.3f} | {row['speedup']:.2f} | {row['peak_MB']:.1f} | "
                numbers += f"{row['plain_GFLOP_per_s']:.0f} | {row['difference']:.1e}"
                sides = "x".join(map(str, (row["batch"], *size)))
                print(f"| {task} | {sides} | {row['variant']} | {numbers} |", flush=True)
    if folder:
        about = {"matrix_GFLOP_per_s": 2 * MATRIX**3 / best / 1e9, "threads": torch.get_num_threads(), "rows": rows}
        folder.write_text("speed.json", json.dumps(about, indent=1) + "\n")
        drawn(rows, folder.path("speed.png"))
    return rows


def drawn(rows: list[dict], path: Path) -> None:
    """Seconds and megabytes against the pixels of a step or image, a column a task."""
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    figure = Figure(figsize=(4.2 * len(tasks), 6.4), dpi=110, layout="constrained")
    axes = figure.subplots(2, len(tasks), squeeze=False)
    for column, task in enumerate(tasks):
        for line, (key, label) in enumerate((("seconds", "seconds"), ("peak_MB", "peak of tensors, MB"))):
            axis = axes[line, column]
            for variant in dict.fromkeys(row["variant"] for row in rows):
                mine = [row for row in rows if row["task"] == task and row["variant"] == variant]
                mine.sort(key=_pixels)
                axis.loglog([_pixels(row) for row in mine], [row[key] for row in mine], "o-", label=variant)
            axis.set(xlabel="pixels", ylabel=label, title=task)
            axis.grid(True, which="both", alpha=0.3)
    axes[0, 0].legend(fontsize=8)
    figure.savefig(path, format="png")


def _pixels(row: dict) -> int:
    return row["batch"] * row["size"][0] * row["size"][1]


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?", text)
    if not match:
        raise argparse.ArgumentTypeError(f"found {text[:40]}, expected a side in pixels, or HEIGHTxWIDTH")
    return int(match[1]), int(match[2] or match[1])


def _weights(text: str) -> tuple[str, str]:
    task, _, path = text.partition("=")
    if task not in BUILD or not path:
        raise argparse.ArgumentTypeError(f"found {text[:80]}, expected ps=FILE, hmf=FILE or ivf=FILE")
    return task, path


if __name__ == "__main__":
    evaluation_script(main, advice="take smaller --sizes or a smaller --batch")()
