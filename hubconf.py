"""Networks for torch.hub: torch.hub.load(DIR, "dcinn_ivf_tno", source="local", pretrained=True).

Every name gives a DCINN: `fused = model(base_image, guide)` with (B, C, H, W) floats in [0, 1], see `models.DCINN`.
With `pretrained` the weights are those of pretrained/ (each has a card there) and the network is in evaluation mode;
without it they are random. Further options: with `pretrained` those of `models.load_pretrained`
(device=, exact=), without it those of the builders in `models`.
"""

from data.simulate import spectral_response as _spectral_response
from models import DCINN as _DCINN
from models import dcinn_hmf as _dcinn_hmf
from models import dcinn_ivf as _dcinn_ivf
from models import dcinn_ps as _dcinn_ps
from models import load_pretrained as _load_pretrained

dependencies = ["torch", "numpy", "scipy"]


def dcinn_ps(pretrained: bool = False, **options: object) -> _DCINN:
    """Pansharpening: (lms, pan) -> fused; eight bands of WorldView-2, or without weights `bands=`."""
    return _load_pretrained("ps", **options) if pretrained else _dcinn_ps(**options)


def dcinn_hmf(pretrained: bool = False, **options: object) -> _DCINN:
    """Hyperspectral-multispectral fusion: (upsampled HSI, RGB) -> fused; CAVE's 31 bands and the Nikon D700."""
    if pretrained:
        return _load_pretrained("hmf", **options)
    return _dcinn_hmf(**{"srf": _spectral_response(), **options})


def dcinn_ivf_tno(pretrained: bool = False, **options: object) -> _DCINN:
    """Infrared and visible images, the larger base: (visible, infrared) -> fused luma."""
    return _load_pretrained("ivf_tno", **options) if pretrained else _dcinn_ivf("max", **options)


def dcinn_ivf_rs(pretrained: bool = False, **options: object) -> _DCINN:
    """Infrared and visible images, the mean base: (visible, infrared) -> fused luma."""
    return _load_pretrained("ivf_rs", **options) if pretrained else _dcinn_ivf("mean", **options)


def dcinn_ivf_tuned(pretrained: bool = False, **options: object) -> _DCINN:
    """As dcinn_ivf_tno, trained with this project's own loss (`--recipe tuned`)."""
    return _load_pretrained("ivf_tuned", **options) if pretrained else _dcinn_ivf("max", **options)
