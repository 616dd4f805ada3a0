"""Images of another precision or device than the network's: one line of ours, not PyTorch's; those of its own work."""

import pytest
import torch
from torch import nn

from models import dcinn_hmf, dcinn_ivf, dcinn_ps
from models.peers import AUIF, CDDFuse, DeFusion

SRF = torch.full((4, 3), 0.25).numpy()
NETWORKS = {
    "ps": (lambda: dcinn_ps(4, low_blocks=1), 4, 1, "base image"),
    "hmf": (lambda: dcinn_hmf(4, srf=SRF, low_blocks=1), 4, 3, "base image"),
    "ivf": (lambda: dcinn_ivf("max", low_blocks=1), 1, 1, "base image"),
    "auif": (AUIF, 1, 1, "visible"),
    "cddfuse": (CDDFuse, 1, 1, "visible"),
    "defusion": (DeFusion, 1, 1, "visible"),
}


@pytest.fixture(params=NETWORKS)
def network(request):
    build, bands, guide_bands, name = NETWORKS[request.param]
    torch.manual_seed(0)
    return build().eval(), torch.rand(1, bands, 16, 16), torch.rand(1, guide_bands, 16, 16), name


def test_what_is_refused(network):
    model, a, b, first = network
    second = {"base image": "guide", "visible": "infrared"}[first]
    for images, name, error, words in (
        ((a.double(), b.double()), first, ValueError, "found torch.float64, expected torch.float32, as the network"),
        ((a, b.double()), second, ValueError, "found torch.float64, expected torch.float32"),
        ((a.half(), b), first, ValueError, "found torch.float16, expected torch.float32"),
        ((a, b.to("meta")), second, ValueError, "found a tensor on meta, expected one on cpu, as the"),
        ((a, (255 * b).byte()), second, ValueError, "found torch.uint8, expected floating point"),
        ((a.numpy(), b), first, TypeError, "found ndarray, expected a torch.Tensor"),
    ):
        with pytest.raises(error) as found, torch.no_grad():
            model(*images)
        assert str(found.value).startswith(f"{name}: {words}")
        assert "\n" not in str(found.value)


def test_what_is_taken(network):
    """float64 in float64, and under autocast what it casts."""
    model, a, b, _ = network
    if isinstance(model, DeFusion):
        pytest.skip("takes long")
    with torch.no_grad():
        fused = model(a, b)
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.isfinite(model(a, b)).all()
        double = model.double()(a.double(), b.double())
    assert double.dtype == torch.float64
    assert (double - fused).abs().max() < 1e-4
    with pytest.raises(ValueError, match=r"found torch.float32, expected torch.float64, as the network"):
        model(a, b)


def test_the_inverse_direction():
    model, a, b = dcinn_ps(4, low_blocks=1), torch.rand(1, 4, 16, 16), torch.rand(1, 1, 16, 16)
    with pytest.raises(ValueError, match=r"^fused: found torch.float64, expected torch.float32"):
        model.invert(a.double(), a, b)
    with pytest.raises(TypeError, match=r"^fused: found ndarray"):
        model.invert(a.numpy(), a, b)
    with pytest.raises(ValueError, match=r"^guide: found torch.float64"):
        model.decompose(a, b.double())


def test_a_network_without_weights_of_its_own_takes_what_it_is_given():
    """As a replica of nn.DataParallel, whose weights are no parameters."""
    from models.inputs import check_kind

    check_kind(nn.Identity(), image=torch.zeros(1).double())
