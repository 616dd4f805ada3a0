"""Measures the cost of a call, in time, processor time and memory, in this process or as a whole process."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # silences the profiler

import torch
from torch.profiler import profile

ONE_PAIR = Path(__file__).with_name("one_pair.py")


class Spent(NamedTuple):
    """The cost of a call.

    Attributes:
        seconds: elapsed time.
        cpu_seconds: processor time of all threads.
    """

    seconds: float
    cpu_seconds: float


def spent(call: Callable, device: str) -> Spent:
    """Return the time of one call, on "cuda" including its kernels."""
    start, cpu = time.perf_counter(), time.process_time()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return Spent(time.perf_counter() - start, time.process_time() - cpu)


def peak_memory(call: Callable, device: str) -> float:
    """Return the peak of allocated tensors during a call in MiB, above those allocated before it."""
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
    """Return the cost of a fresh process that loads a network and fuses one pair on the CPU.

    Args:
        task: "ps", "hmf" or "ivf".
        size: height and width of the images.
        weights: file of the network; None is a network of random weights.
        variant: "plain" or "ours"; for "plain" our network is loaded first, because its weights are copied.
        threads: PyTorch's number of threads.

    Returns:
        A dictionary with whole_seconds, whole_cpu_seconds and process_peak_MB.
    """
    command = [sys.executable, str(ONE_PAIR), task, f"{size[0]}x{size[1]}", variant, str(threads), weights or ""]
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    took = time.perf_counter() - start
    said = json.loads(done.stdout)
    return {"whole_seconds": took, "whole_cpu_seconds": said["cpu_seconds"], "process_peak_MB": said["peak_MB"]}
