"""Compares DCINN and other methods on one pair: parameters, time and peak memory.

    python benchmarks/methods.py [--sizes 288x384 480x640] [--methods dcinn auif ...] [--device cuda] [--repeats 3]

The networks have random weights, which affect neither time nor memory, and the images are smooth random ones. Calls of
all methods alternate; times are medians of --repeats. Peak memory is that of allocated tensors, as in speed.py. Ratios
are to the first method, by default DCINN.
"""

import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch
from costs import peak_memory, spent
from networks import image_size, stirred
from torch.nn import functional

from models import dcinn_ivf
from models.peers import PEERS, TITLES
from utils.commandline.device import pick_device
from utils.commandline.parser import Parser, positive
from utils.evaluation.parser import evaluation_script

BUILD = {"dcinn": lambda: dcinn_ivf("max"), **PEERS}


def main(argv: list[str] | None = None) -> list[dict]:
    """Measure and print; returns the rows."""
    parser = Parser(description=__doc__.splitlines()[0], allow_abbrev=False)
    sizes = "sizes of the images, as 480 or 480x640 (default: 288x384)"
    parser.add_argument("--sizes", nargs="+", type=image_size, default=[(288, 384)], help=sizes)
    parser.add_argument("--methods", nargs="+", choices=tuple(BUILD), default=list(BUILD), help="methods to measure")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="device to measure on")
    parser.add_argument(
        "--repeats", type=positive, default=3, help="calls per measurement, of which the median is taken"
    )
    args = parser.parse_args(argv)
    device, rows = str(pick_device(args.device)), []
    models = {method: stirred(BUILD[method], device) for method in args.methods}
    print("| method | parameters | size | seconds | times the first | peak MB |\n|---|---:|---|---:|---:|---:|")
    for size in args.sizes:
        torch.manual_seed(1)
        coarse = [torch.rand(1, 1, *(-(-side // 8) for side in size), device=device) for _ in range(2)]
        pair = [functional.interpolate(x, size=size, mode="bilinear") for x in coarse]
        times: dict[str, list[float]] = {method: [] for method in models}
        with torch.inference_mode():
            for number in range(args.repeats + 1):  # the first warms up
                for method, model in models.items():
                    took = spent(lambda model=model, pair=pair: model(*pair), device).seconds
                    times[method] += [took] if number else []
            for method, model in models.items():
                row = {"method": method, "size": list(size), "parameters": sum(p.numel() for p in model.parameters())}
                row["seconds"] = statistics.median(times[method])
                row["ratio"] = row["seconds"] / statistics.median(times[args.methods[0]])
                row["peak_MB"] = peak_memory(lambda model=model, pair=pair: model(*pair), device)
                rows.append(row)
                title = TITLES.get(method, "DCINN (ivf)")
                numbers = f"{row['seconds']:.3f} | {row['ratio']:.2f} | {row['peak_MB']:.0f}"
                print(f"| {title} | {row['parameters']:,} | {size[0]}x{size[1]} | {numbers} |", flush=True)
    return rows


if __name__ == "__main__":
    evaluation_script(main)()
