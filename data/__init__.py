"""Reading the field's data sets, simulating their protocols, and a sample that needs no download."""

from .errors import DataError
from .hyperspectral import CAVE
from .infrared_visible import PairedImages
from .pancollection import PanCollection

__all__ = ["CAVE", "DataError", "PairedImages", "PanCollection"]
