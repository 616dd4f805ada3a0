"""Measures the time of the metrics: CDDFuse's eight on infrared-visible pairs, and the toolbox's on one scene.

    python benchmarks/metric_speed.py [--pairs DIR] [--repeats N]

Without --pairs it uses 25 pairs of noise in TNO's usual size, 576x768. It prints medians in seconds, measured in one
process, and writes nothing.
"""

import os
import platform
import statistics
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from data import PairedImages
from metrics import d_lambda, d_lambda_k, d_s, ergas, mef_ssim, protocols, q2n, sam, scc, ssim, uqi
from utils.commandline.errors import single_line_errors
from utils.commandline.parser import Parser, positive


def timed(call: object, repeats: int) -> float:
    """Return the median time of `repeats` calls in seconds."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main(argv: list[str] | None = None) -> dict[str, float]:
    """Measure and print; returns name -> seconds."""
    parser = Parser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--pairs", type=Path, help="folder of infrared-visible pairs (default: noise)")
    parser.add_argument(
        "--repeats", type=positive, default=3, help="calls per measurement, of which the median is taken"
    )
    args = parser.parse_args(argv)
    rng = np.random.default_rng(0)
    if args.pairs:
        found = PairedImages(args.pairs)
        images = [[np.rint(p[k][0] * 255.0) for k in ("infrared", "visible")] for p in found]
    else:
        images = [list(rng.integers(0, 256, (2, 576, 768))) for _ in range(25)]
    triples = [(np.maximum(a, b), a, b) for a, b in images]

    def eight() -> None:
        for triple in triples:
            for measure in protocols.ivf("cddfuse", *triple).values():
                measure()

    gt = rng.integers(100, 2047, (256, 256, 8))
    fused, pan = gt + rng.integers(-50, 51, gt.shape), gt.mean(axis=2)
    unit = (np.clip(fused / 2047, 0, 1), gt / 2047)
    calls = {
        f"CDDFuse's eight, {len(triples)} pairs": eight,
        f"MEF-SSIM, {len(triples)} pairs": lambda: [mef_ssim(*triple) for triple in triples],
        "Q8": lambda: q2n(fused, gt),
        "UQI": lambda: uqi(fused, gt),
        "SAM": lambda: sam(fused, gt),
        "ERGAS": lambda: ergas(fused, gt, ratio=4),
        "SCC": lambda: scc(fused, gt),
        "SSIM": lambda: ssim(*unit),
        "D_lambda": lambda: d_lambda(fused, gt),
        "D_s": lambda: d_s(fused, gt, pan),
        "D_lambda_K": lambda: d_lambda_k(fused, gt, sensor="WV3"),
    }
    seconds = {name: timed(call, args.repeats) for name, call in calls.items()}
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, NumPy {np.__version__}")
    print("pansharpening indices: 256x256x8; median of", args.repeats)
    print("\n".join(f"| {name} | {value:.3f} s |" for name, value in seconds.items()))
    return seconds


if __name__ == "__main__":
    single_line_errors(main)()
