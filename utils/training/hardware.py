"""What a computation ran on, in words, for logs and cards."""

import platform
from pathlib import Path

import torch

CPU_LIST = Path("/proc/cpuinfo")  # Linux; other systems name their processor themselves


def hardware(device: torch.device) -> str:
    """ "NVIDIA H100 80GB HBM3", or "Intel(R) Xeon(R) Processor @ 2.50GHz, 2 threads"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    lines = CPU_LIST.read_text(errors="replace").splitlines() if CPU_LIST.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = (names or [platform.processor() or platform.machine()])[0]
    return f"{name}, {torch.get_num_threads()} thread{'s' if torch.get_num_threads() != 1 else ''}"
