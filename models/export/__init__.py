"""Networks for other runtimes: ONNX, and PyTorch's own ExportedProgram.

It imports the networks, never the reverse.
"""

from .traced import (
    INPUTS,
    ExportError,
    about,
    difference,
    onnx_package,
    open_onnx,
    open_program,
    to_onnx,
    to_program,
)

__all__ = [
    "INPUTS",
    "ExportError",
    "about",
    "difference",
    "onnx_package",
    "open_onnx",
    "open_program",
    "to_onnx",
    "to_program",
]
