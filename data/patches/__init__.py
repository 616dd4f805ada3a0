"""Training patches: cut on the fly from scenes, pairs and photographs, or read from a file of prepared ones."""

from .hyperspectral import H5Patches, PairCrops, PairGrid, SpectralPatches

__all__ = ["H5Patches", "PairCrops", "PairGrid", "SpectralPatches"]
