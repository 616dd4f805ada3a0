"""Whether torch.compile can work on this machine: it writes source code and calls the system's compiler."""

import os
import shutil

import torch

from utils.commandline.terminal import say

WITH_GRAPHS = ("reduce-overhead", "max-autotune")  # the modes that record CUDA graphs


def mode_or_plain(mode: str | None, device: torch.device) -> str | None:
    """Return the mode for torch.compile, or None, with a note, where the machine lacks the compiler it needs.

    On a CPU, PyTorch's Inductor calls a C++ compiler ($CXX or g++). On a GPU, Triton calls a C compiler ($CC, clang or
    gcc) for the code that starts its kernels. Without one, the first step of the training would end in an error.

    Args:
        mode: the mode that --compile names; None does not compile.
        device: the device of the training.
    """
    if mode is None:
        return None
    variable, names = ("CXX", ("g++",)) if device.type == "cpu" else ("CC", ("clang", "gcc"))
    if os.environ.get(variable, "").strip():
        names = (os.environ[variable],)
    if any(shutil.which(name.split()[0]) for name in names):
        return mode
    say(f"note: --compile: found none of {', '.join(names)} (or ${variable}), which it needs; goes on without")
    return None
