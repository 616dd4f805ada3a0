"""The embedded sample: small scenes made in code from scikit-image's bundled photographs, the same on every machine.

They stand in for data that nobody may redistribute, so that everything runs without a download. They are simulated:
numbers on them say that the software works, not how well a method does. Every table says which data it is from.
"""

from .hyperspectral import sample_hyperspectral
from .pairs import sample_pairs
from .satellite import SAMPLE_BITS, SAMPLE_SENSOR, sample_pan_scene

__all__ = ["SAMPLE_BITS", "SAMPLE_SENSOR", "sample_hyperspectral", "sample_pairs", "sample_pan_scene"]
