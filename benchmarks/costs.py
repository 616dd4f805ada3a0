"""What a call costs: time, processor time, memory; in this process, or all of a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler's chatter

import torch
from torch.profiler import profile

ONE_PAIR = Path(__file__).with_name("one_pair.py")


class Spent(NamedTuple):
    """Seconds on the clock, and of all threads on the processors."""

    seconds: float
    cpu_seconds: float


def spent(call: Callable, device: str) -> Spent:
    """By one call."""
    start, cpu = time.perf_counter(), time.process_time()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return Spent(time.perf_counter() - start, time.process_time() - cpu)


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


def whole_process(task: str, size: tuple[int, int], weights: str | None, variant: str, threads: int) -> dict:
    """A fresh process that reads the network, fuses one pair on the CPU and ends: time, processor time, most memory.

    Args:
        variant: "plain" or "ours"; for the plain one, ours is read first, whose weights it takes.
        threads: of PyTorch.
    """
    command = [sys.executable, str(ONE_PAIR), task, f"{size[0]}x{size[1]}", variant, str(threads), weights or ""]
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    took = time.perf_counter() - start
    said = json.loads(done.stdout)
    return {"whole_seconds": took, "whole_cpu_seconds": said["cpu_seconds"], "process_peak_MB": said["peak_MB"]}
