"""Any height and width, any number of bands, any response."""

import pytest
import torch

from data.simulate import spectral_response
from models import dcinn_hmf, dcinn_ps
from models.layers import Haar
from utils.tiling import fuse


@torch.no_grad()
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4), (15, 17), (33, 64), (63, 40)])
@pytest.mark.parametrize("kind", ["ps", "ivf"])
def test_odd_and_tiny_images(kind, size, golden_model):
    model = golden_model(kind)
    bands = model.config.bands
    a, b = torch.rand(1, bands, *size), torch.rand(1, 1, *size)
    fused = model(a, b)
    assert fused.shape == a.shape
    assert torch.isfinite(fused).all()
    assert model.decompose(a, b)[1].shape == a.shape
    assert model.invert(fused, a, b).shape == a.shape


@torch.no_grad()
def test_padding_reflects_the_sources_and_crops_the_result(golden_model):
    model = golden_model("ivf")
    a, b = torch.rand(2, 1, 1, 40, 48)
    a[..., 39, :], b[..., 39, :] = a[..., 37, :], b[..., 37, :]  # what reflecting 39 rows gives
    assert torch.equal(model(a[..., :39, :], b[..., :39, :]), model(a, b)[..., :39, :])


@torch.no_grad()
def test_no_padding_where_none_is_needed(golden_model, golden_sources):
    model = golden_model("ps")
    a, b = (x.contiguous(memory_format=torch.channels_last) for x in golden_sources("ps"))  # as the network has them
    base, detail = model.decomposition(a, b)
    assert torch.equal(model(a, b), base + model.flow(detail, model.anet(a, b)))


@torch.no_grad()
def test_inversion_at_a_padded_size_is_right_away_from_the_border(golden_model):
    model = golden_model("ps")
    torch.manual_seed(0)
    a, b = torch.rand(1, 8, 1, 1).expand(1, 8, 45, 47) * 0.5, torch.rand(1, 1, 1, 1).expand(1, 1, 45, 47)
    error = (model.invert(model(a, b), a, b) - model.decompose(a, b)[1]).abs()
    assert error[..., :8, :8].max() < 5e-3


@torch.no_grad()
@pytest.mark.parametrize("bands", [2, 3, 4, 8, 13])
def test_ps_takes_any_number_of_bands(bands):
    model = dcinn_ps(bands).eval()
    assert model(torch.rand(1, bands, 8, 8), torch.rand(1, 1, 8, 8)).shape == (1, bands, 8, 8)


@torch.no_grad()
def test_hmf_takes_any_response():
    srf = torch.rand(10, 4)
    model = dcinn_hmf(10, srf=srf / srf.sum(dim=0)).eval()
    hsi, msi = torch.rand(1, 10, 8, 8), torch.rand(1, 4, 8, 8)
    assert model(hsi, msi).shape == hsi.shape
    lifted = model.decompose(hsi, msi)[1] + hsi
    seen = torch.einsum("bnhw,nc->bchw", lifted, torch.tensor(model.config.srf, dtype=torch.float32))
    assert torch.allclose(seen, msi, atol=1e-4), "R of R^+ gives the multispectral image back"


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ((1, 4, 8, 8), (1, 1, 8, 8), "base image"),
        ((1, 8, 8, 8), (1, 3, 8, 8), "guide"),
        ((1, 8, 8, 8), (1, 1, 8, 9), "sides of the base image"),
        ((8, 8, 8), (1, 1, 8, 8), "base image"),
    ],
)
def test_shapes_that_do_not_fit_say_so(a, b, message):
    with pytest.raises(ValueError, match=message):
        dcinn_ps(8)(torch.rand(a), torch.rand(b))


@pytest.mark.parametrize("srf", [spectral_response().T, spectral_response() * 2, spectral_response()[:30], None])
def test_a_bad_response_says_so(srf):
    with pytest.raises(ValueError, match="srf"):
        dcinn_hmf(31, srf=srf)


class PixelsAndHaarBlocks(torch.nn.Module):
    """Looks at single pixels and at whole 8x8 Haar blocks, so tiles must give the whole exactly."""

    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.linspace(0.5, 2, 64).view(1, 64, 1, 1))

    def forward(self, a, b):
        haar = Haar()
        a = a[:, :1]
        deep = haar(haar(haar(a))) * self.gain
        return haar.inverse(haar.inverse(haar.inverse(deep))) + b


@pytest.mark.parametrize("tile", [32, 50, 64, 72])
@pytest.mark.parametrize("size", [(152, 104), (64, 200), (72, 72)])
def test_tiles_blend_to_the_whole(tile, size):
    model = PixelsAndHaarBlocks()
    a, b = torch.rand(2, 1, 1, *size)
    tile -= tile % 8  # of this model alone: DCINN pads the tiles that need it
    assert torch.allclose(fuse(model, a, b, tile=tile), fuse(model, a, b), atol=1e-6)


def test_tiles_that_are_too_small_say_so():
    with pytest.raises(ValueError, match="at least 32"):
        fuse(PixelsAndHaarBlocks(), torch.rand(1, 1, 64, 64), torch.rand(1, 1, 64, 64), tile=8)
