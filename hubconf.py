"""Networks for torch.hub: torch.hub.load(DIR, "dcinn_ivf_tno", source="local", pretrained=True).

Every function returns a DCINN: `fused = model(base_image, guide)` with (B, C, H, W) floats in [0, 1], see
`models.DCINN`. With `pretrained` it has the weights in pretrained/ (each has a card there) and is in evaluation mode;
without it the weights are random. Further options with `pretrained` are those of `models.load_pretrained` (device=,
exact=), without it those of the builders in `models`.

The folder models/ is loaded by its path as the package `dcinn`, its name when installed. So it cannot clash with a
project's own packages called models, utils or data.
"""

import importlib.util as _importlib_util
import sys as _sys
from pathlib import Path as _Path
from types import ModuleType as _ModuleType

import numpy as _np
from torch import nn as _nn

dependencies = ["torch", "numpy"]
_ROOT = _Path(__file__).resolve().parent


def _loaded() -> _ModuleType:
    """Return the package of this folder's models/: `dcinn`, or `dcinn_hub` if another `dcinn` has been imported."""
    place = _ROOT / "models" / "__init__.py"
    for name in ("dcinn", "dcinn_hub"):
        found = _sys.modules.get(name)
        if found is not None:
            if _Path(found.__file__ or "").resolve() == place:
                return found
            continue
        # The second folder is where dcinn.metrics is found, as in the installed package.
        spec = _importlib_util.spec_from_file_location(
            name, place, submodule_search_locations=[str(place.parent), str(_ROOT)]
        )
        module = _importlib_util.module_from_spec(spec)
        _sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del _sys.modules[name]
            raise
        return module
    raise ImportError(f"torch.hub: found two other packages called dcinn and dcinn_hub, expected room for {place}")


_dcinn = _loaded()


def dcinn_ps(pretrained: bool = False, **options: object) -> _nn.Module:
    """Return the network for pansharpening: (lms, pan) -> fused.

    The pretrained one is for WorldView-2's eight bands; without weights `bands=` sets their number.
    """
    return _dcinn.load_pretrained("ps", **options) if pretrained else _dcinn.dcinn_ps(**options)


def dcinn_hmf(pretrained: bool = False, **options: object) -> _nn.Module:
    """Return the network for hyperspectral-multispectral fusion: (upsampled HSI, RGB) -> fused.

    It is for CAVE's 31 bands and the Nikon D700; without weights `bands=` and `srf=` change this.
    """
    if pretrained:
        return _dcinn.load_pretrained("hmf", **options)
    d700 = _np.loadtxt(_ROOT / "data" / "nikon_d700.csv", delimiter=",")
    return _dcinn.dcinn_hmf(**{"srf": d700, **options})


def dcinn_ivf_tno(pretrained: bool = False, **options: object) -> _nn.Module:
    """Return the network for infrared-visible fusion with base rule "max": (visible, infrared) -> fused luma."""
    return _dcinn.load_pretrained("ivf_tno", **options) if pretrained else _dcinn.dcinn_ivf("max", **options)


def dcinn_ivf_rs(pretrained: bool = False, **options: object) -> _nn.Module:
    """Return the network for infrared-visible fusion with base rule "mean": (visible, infrared) -> fused luma."""
    return _dcinn.load_pretrained("ivf_rs", **options) if pretrained else _dcinn.dcinn_ivf("mean", **options)


def dcinn_ivf_tuned(pretrained: bool = False, **options: object) -> _nn.Module:
    """Return the network of `dcinn_ivf_tno`, but trained with this project's own loss (`--recipe tuned`)."""
    return _dcinn.load_pretrained("ivf_tuned", **options) if pretrained else _dcinn.dcinn_ivf("max", **options)
