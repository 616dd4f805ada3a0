"""Whether torch.compile can work on this machine: it writes source code and calls the system's compiler."""

import os
import shutil
import sys

import torch

from utils.commandline.terminal import say

WITH_GRAPHS = ("reduce-overhead", "max-autotune")  # the modes that record CUDA graphs
INDUCTORS = {"darwin": "clang++", "win32": "cl"}  # platform -> Inductor's C++ compiler; g++ on all others


def mode_or_plain(mode: str | None, device: torch.device) -> str | None:
    """Return the mode for torch.compile, or None, with a note, where the machine lacks the compiler it needs.

    On a CPU, PyTorch's Inductor calls a C++ compiler: $CXX, else g++ (macOS: clang++, Windows: cl). On a GPU, Triton
    calls a C compiler, $CC, else gcc or clang, for the code that starts its kernels; on Windows it brings its own. Both
    take a variable that is set, even to nothing, as the name of one program, without options. Without the compiler, the
    first step of the training would end in an error.

    Args:
        mode: the mode that --compile names; None does not compile.
        device: the device of the training.
    """
    if mode is None or (device.type != "cpu" and sys.platform == "win32"):
        return mode
    if device.type == "cpu":
        variable, usual = "CXX", (INDUCTORS.get(sys.platform, "g++"),)
    else:
        variable, usual = "CC", ("gcc", "clang")
    given = os.environ.get(variable)
    if any(shutil.which(name) for name in (usual if given is None else (given,))):
        return mode
    found = f"no {' or '.join(usual)}" if given is None else f"${variable} '{given}', which is no program"
    say(f"note: --compile: found {found}, expected a compiler (${variable}); goes on without")
    return None
