"""Networks for other runtimes: ONNX, and PyTorch's own ExportedProgram.

It imports the networks, never the reverse.
"""

from .traced import (
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
    "ExportError",
    "about",
    "difference",
    "onnx_package",
    "open_onnx",
    "open_program",
    "to_onnx",
    "to_program",
]
