"""The small parts, against numbers worked out by hand."""

import pytest
import torch

from models import dcinn_hmf, dcinn_ivf, dcinn_ps
from models.decomposition import GaussianDecomposition
from models.layers import ActNorm, Haar


def test_haar_signs_and_subband_major_order():
    block = torch.tensor([[1.0, 2.0], [4.0, 8.0]])
    x = torch.stack((block, 10 * block))[None]  # two channels
    average, right, down, diagonal = 15 / 4, (1 - 2 + 4 - 8) / 4, (1 + 2 - 4 - 8) / 4, (1 - 2 - 4 + 8) / 4
    expected = [average, 10 * average, right, 10 * right, down, 10 * down, diagonal, 10 * diagonal]
    assert Haar()(x).flatten().tolist() == pytest.approx(expected)
    assert torch.equal(Haar().inverse(Haar()(x)), x)


def test_actnorm_starts_from_the_first_training_batch_alone():
    torch.manual_seed(0)
    first, second = torch.randn(3, 2, 5, 5) * 4 + 7, torch.randn(3, 2, 5, 5)
    norm = ActNorm(2)
    assert torch.equal(norm.eval()(first), first), "identity until it is started"
    y = norm.train()(first)
    assert y.mean(dim=(0, 2, 3)).abs().max() < 1e-5
    assert (y.std(dim=(0, 2, 3)) - 1).abs().max() < 1e-4  # the sample standard deviation
    loc = norm.loc.clone()
    norm(second)
    assert torch.equal(norm.loc, loc)
    assert norm.loc.requires_grad
    assert norm.scale.requires_grad


def test_fresh_networks_add_only_what_the_issue_of_their_start_says():
    torch.manual_seed(0)
    visible, infrared = torch.rand(2, 1, 1, 32, 32)
    model = dcinn_ivf("mean").eval()
    base, detail = model.decompose(visible, infrared)
    with torch.no_grad():  # ivf: s = 0 and F = G = 0, so the residual is the detail up to the 1e-6 kernels
        assert (model(visible, infrared) - base - detail).abs().max() < 1e-2


def test_gaussian_decomposition_rules():
    x, y = torch.rand(2, 1, 1, 20, 20)
    (mean, total), (largest, half) = GaussianDecomposition("mean")(x, y), GaussianDecomposition("max", "mean")(x, y)
    assert torch.allclose(2 * mean + total, x + y, atol=1e-6)
    assert torch.allclose(half * 2, total)
    assert (largest >= mean - 1e-6).all()


def gaussian_of_121_weights(image):
    distance = torch.arange(-5, 6, dtype=torch.float64)
    weights = torch.exp(-(distance**2) / 2)
    kernel = torch.outer(weights, weights) / weights.sum() ** 2
    return torch.nn.functional.conv2d(image, kernel[None, None], padding=5)


@pytest.mark.parametrize("sides", [(33, 20), (7, 12), (1, 3)])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_low_pass_by_rows_and_columns_is_the_two_dimensional_one(sides, memory_format):
    torch.manual_seed(0)
    image = torch.rand(2, 1, *sides, dtype=torch.float64).contiguous(memory_format=memory_format).requires_grad_()
    weight = torch.rand(2, 1, *sides, dtype=torch.float64)
    module = GaussianDecomposition("mean")
    found, expected = module.low_pass(image), gaussian_of_121_weights(image)
    assert torch.allclose(found, expected, rtol=1e-12, atol=0)
    gradients = [torch.autograd.grad((low * weight).sum(), image)[0] for low in (found, expected)]
    assert torch.allclose(*gradients, rtol=1e-12, atol=0)
    traced = torch.jit.trace(GaussianDecomposition("mean"), (image.detach().float(),) * 2)  # by convolutions
    assert torch.allclose(traced(*(image.detach().float(),) * 2)[0], expected.float(), rtol=1e-6)


@pytest.mark.parametrize("model", [lambda: dcinn_ps(8), lambda: dcinn_hmf(srf=torch.rand(31, 3).softmax(0)), dcinn_ivf])
def test_mixed_precision_leaves_the_decomposition_alone(model):
    model = model()
    a, b = (torch.rand(1, c, 16, 16) for c in (model.config.bands, model.config.guide_bands))
    expected = model.decomposition(a, b)
    with torch.autocast("cpu", torch.bfloat16):
        found = model.decomposition(a, b)
    assert all(torch.equal(x, y) for x, y in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("model", "total"),
    [
        (lambda: dcinn_ps(8), 582_860),
        (lambda: dcinn_ps(8, low_blocks=4), 738_578),
        (lambda: dcinn_hmf(srf=torch.eye(31)[:, :3]), 4_321_312),
        (dcinn_ivf, 2_520_614),
    ],
)
def test_sizes_of_the_released_networks(model, total):
    """Values without the flags, the fixed Haar filters counted as the authors count them."""
    from models.weights.author_names import haar_entries

    model = model()
    haar = sum(v.numel() for v in haar_entries(model.config).values())
    assert sum(p.numel() for p in model.parameters()) + haar == total


def test_start_values():
    torch.manual_seed(0)
    model = dcinn_ps(8)
    coupling = model.flow.low0.coupling
    subnet = coupling.G
    for conv in (subnet.conv_in, subnet.res.conv1, subnet.res.conv2):
        fan_in, fan_out = conv.weight[0].numel(), conv.weight[:, 0].numel()
        assert conv.weight.std().item() == pytest.approx(0.1 * (2 / (fan_in + fan_out)) ** 0.5, rel=0.1)
        assert not conv.bias.any()
    assert not subnet.conv_out.weight.any()
    assert torch.equal(subnet.gate.norm.bias, torch.ones(32)), "the channel norm's bias starts at one, not zero"
    assert torch.equal(subnet.gate.norm.weight, torch.ones(32))
    assert 0.3 < coupling.clamp.mean() < 0.7
    assert 0 <= coupling.clamp.min() < coupling.clamp.max() <= 1
    kernel = model.flow.low0.conv_exp.kernel
    assert 0 <= kernel.min() < kernel.max() <= 1e-6
    assert subnet.gate.g.bias is None
    default = 1 / model.anet.conv_in.weight[0].numel() ** 0.5  # PyTorch's own start, uniform
    assert 0.9 * default < model.anet.conv_in.weight.abs().max() <= default


def test_the_number_of_terms_reaches_every_series():
    from models.convexp import ConvExp

    for model in (dcinn_ps(4, terms=3), dcinn_ivf(terms=3)):
        assert [m.terms for m in model.modules() if isinstance(m, ConvExp)].count(3) in (5, 8)
        assert all(m.terms == 3 for m in model.modules() if isinstance(m, ConvExp))
