"""Training patches, cut on the fly from scenes, pairs and photographs, or read from a file of prepared patches.

Every set has `len(set)` and `set.sample(index, rng)`. A sample is a dictionary of float32 arrays in [0, 1]:
`base_image` (B, H, W), `guide` (b, H, W) and `gt` (B, H, W; not for infrared-visible), and a `name`. All randomness
comes from `rng`, so that a sample does not depend on the process that reads it. A set whose attribute `fixed` is True
returns the same samples in every epoch.
"""

from .h5 import H5Patches
from .hyperspectral import SpectralPatches
from .pairs import PairCrops, PairGrid
from .pansharpening import PanPatches, PanScenePatches

__all__ = ["H5Patches", "PairCrops", "PairGrid", "PanPatches", "PanScenePatches", "SpectralPatches"]
