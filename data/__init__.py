"""Readers of public data sets for image fusion, simulation of their low-resolution inputs, and an embedded sample.

The classes below are imported on first use, so that `data.simulate` needs neither PyTorch nor any reader of files.
Scripts and utils import this folder. It imports only `filters`, `sensors` and `outside_text` of metrics.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import DataError
    from .harvard import Harvard
    from .hyperspectral import CAVE
    from .infrared_visible import PairedImages
    from .pancollection import PanCollection

_HOMES = {
    "CAVE": "hyperspectral",
    "DataError": "errors",
    "Harvard": "harvard",
    "PairedImages": "infrared_visible",
    "PanCollection": "pancollection",
}
__all__ = ["CAVE", "DataError", "Harvard", "PairedImages", "PanCollection"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
