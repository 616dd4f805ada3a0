"""Measures time and memory of a network, and of the plain implementation with the same weights.

    python benchmarks/speed.py [--tasks ps hmf ivf] [--sizes 64 256 480x640] [--training] [--cold] [--threads N]
                               [--device cuda] [--keep benchmarks/speed.json] [--plot FILE.png] [--output DIR]

It runs inference on one image per size. With --training it runs one step, forward and backward (ps: both directions),
on --batch patches per size, with and without recomputed blocks. Calls of all variants alternate; times are medians of
--repeats. Peak memory is that of allocated tensors (CPU: from the profiler's events; CUDA: from the allocator). FLOP
are counted by PyTorch, and the rate of a large matrix product is printed for comparison. If onnxruntime and OpenVINO
are installed, they run the exported network. --cold adds a fresh process per variant, with its whole time and peak
memory (VmHWM). Images are smooth random ones. Without --weights, the network is random, with no part zero.
"""

import argparse
import json
import platform
import statistics
import sys
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import runtimes
import torch
from costs import Spent, peak_memory, spent, whole_process
from networks import BUILD, image_size, images, network, task_weights
from plots import drawn
from torch.utils.flop_counter import FlopCounterMode
from variants import inference, training

from models.weights.atomic import write_whole
from utils.commandline.device import hardware, pick_device
from utils.commandline.errors import UsageError
from utils.commandline.parser import Parser, positive
from utils.evaluation.parser import evaluation_script
from utils.output.result_folder import ResultFolder

MATRIX = 2048
SAME = (
    "task",
    "size",
    "batch",
    "training",
    "variant",
    "threads",
    "hardware",
)  # --keep has one row for each combination
COLD = ("plain", "ours")


def measure(task: str, size: tuple[int, int], args: argparse.Namespace) -> list[dict]:
    """Return the measurements for a task and size, one row per variant."""
    weights = args.weights.get(task)
    model = network(task, weights, args.device)
    if (model.config.bands, model.config.guide_bands) != BUILD[task][1]:
        raise UsageError(f"{weights}: found {model.config.bands} bands, expected {BUILD[task][1][0]}")
    if any(model.padded_side(side) != side for side in size):
        raise UsageError(f"--sizes: found {size[0]}x{size[1]}, expected multiples of {model.multiple} for {task}")
    batch = args.batch if args.training else 1
    a, b = images(task, batch, size, args.device)
    calls = training(model, a, b, args.at_once, args.bf16) if args.training else inference(model, a, b, args.bf16)
    if not args.training and args.device == "cpu":
        calls.update(runtimes.calls(model, a, b))
    with FlopCounterMode(display=False) as counter:
        results = {"plain": calls["plain"]()}
    results.update({name: call() for name, call in calls.items() if name != "plain"})
    times: dict[str, list[Spent]] = {name: [] for name in calls}
    for _ in range(args.repeats):
        for name, call in calls.items():
            times[name].append(spent(call, args.device))
    rows, plain = [], statistics.median(time.seconds for time in times["plain"])
    for name, call in calls.items():
        took = statistics.median(time.seconds for time in times[name])
        row = {"task": task, "size": list(size), "batch": batch, "training": args.training, "variant": name}
        row.update(threads=torch.get_num_threads(), hardware=hardware(a.device), torch=torch.__version__)
        row.update(seconds=took, cpu_seconds=statistics.median(time.cpu_seconds for time in times[name]))
        row.update(all_seconds=[time.seconds for time in times[name]], speedup=plain / took)
        row["peak_MB"] = None  # PyTorch does not see another runtime's memory
        if name not in runtimes.RUNTIMES:
            row["peak_MB"] = peak_memory(call, args.device)
        row["plain_GFLOP_per_s"] = counter.get_total_flops() / took / 1e9
        row["difference"] = float((results[name] - results["plain"]).abs().max())
        if args.cold and name in COLD:
            row.update(whole_process(task, size, weights, name, torch.get_num_threads()))
        rows.append(row)
    return rows


def main(argv: list[str] | None = None) -> list[dict]:
    """Measure and print; returns the rows."""
    parser = Parser(description=__doc__.splitlines()[0], allow_abbrev=False)
    add = parser.add_argument
    add("--tasks", nargs="+", choices=tuple(BUILD), default=list(BUILD), help="networks to measure")
    sizes = "sizes of the images, as 256 or 480x640 (default: 64 256)"
    add("--sizes", nargs="+", type=image_size, default=[(64, 64), (256, 256)], help=sizes)
    add("--weights", nargs="+", type=task_weights, default=[], help="weights, as ps=FILE hmf=FILE ivf=FILE")
    add("--training", action="store_true", help="measure training steps instead of inference")
    add("--batch", type=positive, default=2, help="patches per training step")
    add("--at-once", type=positive, help="with --training: also measure steps that compute N patches at once")
    add("--tf32", action="store_true", help="CUDA: compute products of all variants, plain as well, in TF32")
    add("--bf16", action="store_true", help="also measure in bfloat16 (autocast)")
    add("--cold", action="store_true", help="also measure whole processes: their time and peak memory (inference, CPU)")
    add("--threads", type=positive, help="number of CPU threads (default: PyTorch's choice)")
    add("--repeats", type=positive, default=5, help="calls per measurement, of which the median is taken")
    add("--device", choices=("cpu", "cuda"), default="cpu", help="device to measure on")
    add("--keep", type=Path, help="a .json file that keeps the rows of all runs, the last one of each kind")
    add("--plot", type=Path, help="a .png file for a plot of time and memory against size, of all rows in --keep")
    add("--output", type=Path, help="folder for this run's speed.json and speed.png (default: print only)")
    args = parser.parse_args(argv)
    args.weights = dict(args.weights)
    if args.at_once and not args.training:
        raise UsageError("--at-once: found without --training, expected with it")
    if args.cold and (args.training or args.device != "cpu"):
        raise UsageError("--cold: found with --training or --device cuda, expected inference on the CPU")
    pick_device(args.device)
    before = torch.get_num_threads()
    torch.set_num_threads(args.threads or before)
    try:
        earlier = read_rows(args.keep) if args.keep else []
        with ResultFolder(args.output) if args.output else nullcontext() as folder:
            rows = compare(args, folder)
    finally:
        torch.set_num_threads(before)
    shown = joined(earlier, rows)
    if args.keep:
        write_whole(args.keep, (json.dumps({"rows": shown}, indent=1) + "\n").encode())
    if args.plot:
        drawn(shown, args.plot)
    return rows


def read_rows(path: Path) -> list[dict]:
    """Return the rows that earlier runs kept; none if the file does not exist.

    Raises:
        UsageError: for a file of another kind.
    """
    if not path.exists():
        return []
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        joined(rows, [])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"--keep {path}: found another file, expected the rows of an earlier run") from None
    return rows


def joined(earlier: list[dict], rows: list[dict]) -> list[dict]:
    """Return all rows; of several rows that are equal in `SAME`, only the last."""
    return list({json.dumps([row[name] for name in SAME]): row for row in (*earlier, *rows)}.values())


def compare(args: argparse.Namespace, folder: ResultFolder | None) -> list[dict]:
    """Measure all tasks and sizes, print the rows, write them to `folder` if given; returns the rows."""
    torch.set_flush_denormal(True)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = args.tf32
    square = torch.rand(MATRIX, MATRIX, device=args.device)
    best = min(spent(lambda: square @ square, args.device).seconds for _ in range(5))
    print(
        f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}"
    )
    print(f"matrix product {MATRIX}x{MATRIX}: {2 * MATRIX**3 / best / 1e9:.0f} GFLOP/s\n")
    titles = ["task", "size", "variant", "seconds", "CPU seconds", "times plain", "peak MB", "GFLOP/s of plain's"]
    titles += ["difference", *(("whole process, s", "its CPU seconds", "its peak MB") if args.cold else ())]
    print(f"| {' | '.join(titles)} |\n|---|---:|---|{'---:|' * (len(titles) - 3)}")
    rows = []
    for task in args.tasks:
        for size in args.sizes:
            for row in measure(task, size, args):
                rows.append(row)
                print(_line(row, args.cold), flush=True)
    if folder:
        about = {"matrix_GFLOP_per_s": 2 * MATRIX**3 / best / 1e9, "threads": torch.get_num_threads(), "rows": rows}
        folder.write_text("speed.json", json.dumps(about, indent=1) + "\n")
        drawn(rows, folder.path("speed.png"))
    return rows


def _line(row: dict, cold: bool) -> str:
    numbers = [(row["seconds"], ".3f"), (row["cpu_seconds"], ".3f"), (row["speedup"], ".2f"), (row["peak_MB"], ".1f")]
    numbers += [(row["plain_GFLOP_per_s"], ".0f"), (row["difference"], ".1e")]
    if cold:
        whole = [(row.get(name), ".2f") for name in ("whole_seconds", "whole_cpu_seconds")]
        numbers += [*whole, (row.get("process_peak_MB"), ".0f")]
    cells = ["" if value is None else format(value, form) for value, form in numbers]
    sides = "x".join(map(str, (row["batch"], *row["size"])))
    return f"| {' | '.join([row['task'], sides, row['variant'], *cells])} |"


if __name__ == "__main__":
    evaluation_script(main, advice="take smaller --sizes or a smaller --batch")()
