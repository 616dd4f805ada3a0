"""Export of networks to ONNX and to PyTorch's ExportedProgram (.pt2). The command is `python -m utils.export`.

This folder imports the networks, never the reverse.
"""

from .onnx_and_pt2 import (
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
