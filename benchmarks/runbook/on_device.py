"""Compares every network on a device with float64 on the CPU: both directions, and the gradient of a loss.

python benchmarks/runbook/on_device.py --device cuda --side 64 --output rows.json
"""

import argparse
import copy
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from networks import BUILD, images, stirred
from torch import Tensor, nn

from models.weights.atomic import write_whole

MOST = 1e-3  # largest difference, relative to the largest value; float32 has some 1e-5, a wrong kernel far more


def answers(model: nn.Module, a: Tensor, b: Tensor) -> dict[str, Tensor]:
    """Return "fused", "inverse" (the detail recovered from it) and "gradient" (of its mean square), float64 on the CPU.

    Args:
        model: the network.
        a, b: base image and guide (B, C, H, W), in the network's precision and on its device.
    """
    model.zero_grad(set_to_none=True)
    fused = model(a, b)
    detail = model.invert(fused, a, b)
    fused.square().mean().backward()
    gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    found = {"fused": fused, "inverse": detail, "gradient": gradient}
    return {name: value.detach().double().cpu() for name, value in found.items()}


def main() -> None:
    """Compare, and write one row per network as JSON; the exit code is 1 if a network differs."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--device", default="cuda", help="device to check")
    parser.add_argument("--side", type=int, default=64, help="side of the images in pixels")
    parser.add_argument("--output", type=Path, required=True, help="the .json file to write")
    args = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    rows = []
    for task in BUILD:
        model = stirred(BUILD[task][0], "cpu")
        a, b = images(task, 1, (args.side, args.side), "cpu")
        expected = answers(copy.deepcopy(model).double(), a.double(), b.double())
        found = answers(model.to(args.device), a.to(args.device), b.to(args.device))
        row = {"task": task}
        for name, value in expected.items():
            row[name] = float((found[name] - value).abs().max() / value.abs().max())
        rows.append(row)
    write_whole(args.output, json.dumps(rows).encode())
    parts = [(row, name) for row in rows for name in row if name != "task"]
    wrong = [f"{row['task']} {name}" for row, name in parts if not row[name] < MOST]
    raise SystemExit(f"differs from float64: {', '.join(wrong)}" if wrong else 0)


if __name__ == "__main__":
    main()
