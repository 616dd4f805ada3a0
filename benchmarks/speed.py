"""How fast, in how much memory? This network beside the plain one of the same weights, in one run.

    python benchmarks/speed.py [--tasks ps hmf ivf] [--sizes 64 256 512] [--training] [--device cuda] [--output DIR]

Inference of one image a size; with --training one step of forward and backward (ps: both directions) of --batch
patches a size, without and with recomputed blocks. Calls of all variants alternate, medians of --repeats. Peak memory
is that of living tensors (CPU: summed from the profiler's events; CUDA: the allocator's), FLOP as counted by PyTorch,
beside the rate of a large matrix product in the same run. Weights: a fresh network, stirred so that no part is zero.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler's chatter

import torch
from torch.profiler import profile
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from plain import PlainDCINN

from data.simulate import spectral_response
from models import DCINN, dcinn_hmf, dcinn_ivf, dcinn_ps
from utils.entry import Parser, door, positive
from utils.results import ResultFolder

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


def variants(model: DCINN, a: torch.Tensor, b: torch.Tensor, training: bool) -> dict[str, Callable[[], torch.Tensor]]:
    """Name -> a call that gives the fused image, or in training the loss after its backward pass."""
    plain, both = PlainDCINN(model), model.config.task == "ps"

    def infer(network: Callable) -> Callable[[], torch.Tensor]:
        def call() -> torch.Tensor:
            with torch.no_grad():
                return network(a, b)

        return call

    def ours(recompute: bool) -> Callable[[], torch.Tensor]:
        def call() -> torch.Tensor:
            model.recompute = recompute
            model.zero_grad(set_to_none=True)
            base, detail = model.decomposition(a, b)
            conditions = model.anet(a, b)
            residual = model.flow(detail, conditions)
            loss = (base + residual - a).abs().mean()
            if both:
                loss = loss + (model.flow.inverse(residual, conditions) - detail).abs().mean()
            loss.backward()
            return loss.detach()

        return call

    def theirs() -> torch.Tensor:
        for weight in plain.weights.values():
            weight.grad = None
        base, detail = plain.decomposition(a, b)
        residual = plain.flow(detail, plain.conditions(a, b))
        loss = (base + residual - a).abs().mean()
        if both:  # as written down: the inverse direction asks for its conditions again
            loss = loss + (plain.flow_inverse(residual, plain.conditions(a, b)) - detail).abs().mean()
        loss.backward()
        return loss.detach()

    if training:
        return {"plain": theirs, "ours": ours(False), "ours, recomputed": ours(True)}
    return {"plain": infer(plain), "ours": infer(model)}


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


def seconds(call: Callable, device: str) -> float:
    """Of one call."""
    start = time.perf_counter()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def measure(task: str, size: int, args: argparse.Namespace) -> list[dict]:
    """One row a variant."""
    build, channels = BUILD[task]
    model = stirred(build, args.device)
    batch = args.batch if args.training else 1
    torch.manual_seed(1)
    a, b = (torch.rand(batch, c, size, size, device=args.device) for c in channels)
    calls = variants(model, a, b, args.training)
    results = {name: call() for name, call in calls.items()}  # warms up as well
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(args.repeats):
        for name, call in calls.items():
            times[name].append(seconds(call, args.device))
    with FlopCounterMode(display=False) as counter:
        calls["plain"]()
    rows = []
    for name, call in calls.items():
        spent = statistics.median(times[name])
        row = {"task": task, "size": size, "batch": batch, "training": args.training, "variant": name, "seconds": spent}
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
    parser.add_argument("--sizes", nargs="+", type=positive, default=[64, 256], help="sides in pixels")
    parser.add_argument("--training", action="store_true", help="training steps instead of inference")
    parser.add_argument("--batch", type=positive, default=2, help="patches of a training step")
    parser.add_argument("--repeats", type=positive, default=5, help="of every measurement; the median counts")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where it runs")
    parser.add_argument("--output", type=Path, help="folder for speed.json (default: print only)")
    args = parser.parse_args(argv)
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
                print(f"| {task} | {row['batch']}x{size}x{size} | {row['variant']} | {numbers} |", flush=True)
    if args.output:
        about = {"matrix_GFLOP_per_s": 2 * MATRIX**3 / best / 1e9, "threads": torch.get_num_threads(), "rows": rows}
        with ResultFolder(args.output) as folder:
            folder.write_text("speed.json", json.dumps(about, indent=1) + "\n")
    return rows


if __name__ == "__main__":
    door(main)()
