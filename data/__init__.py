"""Readers of the field's data sets, simulation of their protocols, and a sample that needs no download.

Names are loaded on first use, so that `data.simulate` needs neither PyTorch nor any reader of files. Scripts and utils
import this folder; it imports only the metrics' filters and sensors.
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
