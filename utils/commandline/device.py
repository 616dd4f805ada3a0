"""The device of --device, and the name of the hardware for logs and cards."""

import os
import platform
from pathlib import Path

import torch

from .errors import UsageError
from .last_words import launched

CPU_LIST = Path("/proc/cpuinfo")  # Linux; on other systems Python's platform module knows the name


def pick_device(name: str) -> torch.device:
    """Return the device of --device; under torchrun each process gets one GPU.

    Raises:
        UsageError: if there is no CUDA GPU, or not one per process.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda: found no CUDA GPU, expected one; use --device cpu or auto")
    if name == "cuda" and launched():
        local = whole_variable("LOCAL_RANK", 0, 2**16) if "LOCAL_RANK" in os.environ else 0
        if local >= torch.cuda.device_count():
            raise UsageError(f"torchrun: found {torch.cuda.device_count()} GPUs, expected one for each process")
        return torch.device(name, local)
    return torch.device(name)


def whole_variable(name: str, least: int, most: int) -> int:
    """Return an environment variable, which must be set, as a whole number. Raises UsageError outside least..most."""
    text = os.environ[name]
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
        raise UsageError(f"{name}: found '{text[:40]}', expected a whole number from {least} to {most}")
    return int(text)


def hardware(device: torch.device) -> str:
    """Return the device's name: "NVIDIA H100 80GB HBM3", "Intel(R) Xeon(R) Processor @ 2.50GHz, 2 threads"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    lines = CPU_LIST.read_text(errors="replace").splitlines() if CPU_LIST.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = (names or [platform.processor() or platform.machine()])[0]
    return f"{name}, {torch.get_num_threads()} thread{'s' if torch.get_num_threads() != 1 else ''}"
