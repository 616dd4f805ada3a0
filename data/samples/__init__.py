"""The embedded sample: small scenes simulated from scikit-image's bundled photographs, the same on every machine.

They take the place of data that nobody may redistribute, so that everything runs without a download. Scores on them
show that the software works, not how good a method is. Every table names its data.
"""

from .hyperspectral import sample_hyperspectral
from .pairs import sample_pairs
from .satellite import SAMPLE_BITS, SAMPLE_SENSOR, sample_pan_scene

__all__ = ["SAMPLE_BITS", "SAMPLE_SENSOR", "sample_hyperspectral", "sample_pairs", "sample_pan_scene"]
