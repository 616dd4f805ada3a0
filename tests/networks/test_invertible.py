"""The inverse, at the scale of trained weights: a fresh network is nearly the identity and would pass anyhow."""

import math

import pytest
import torch
from golden_inputs import image

from models import load_pretrained
from models.convexp import ConvExp, conv_exp
from models.invertible import Compose, Inverse
from models.layers import ActNorm, Haar

KINDS = ("ps", "hmf", "ivf", "ivf_mean")


@torch.no_grad()
def round_trip_error(model, base_image, guide):
    _, detail = model.decompose(base_image, guide)
    fused = model(base_image, guide)
    assert (fused - model.decompose(base_image, guide)[0] - detail).abs().max() > 0.05, "the network does nothing"
    return (model.invert(fused, base_image, guide) - detail).abs().max().item()


@pytest.mark.parametrize("kind", KINDS)
def test_float32_with_ten_terms(kind, golden_model, golden_sources):
    assert round_trip_error(golden_model(kind), *golden_sources(kind)) < 2e-4


@pytest.mark.parametrize("kind", KINDS)
def test_float64_exact(kind, golden_model, golden_sources):
    model = golden_model(kind).double()
    a, b = (x.double() for x in golden_sources(kind))
    truncated = round_trip_error(model, a, b)
    model.exact = True
    assert round_trip_error(model, a, b) < 1e-10 < truncated


def test_released_weights(shared):
    model = load_pretrained(shared("weights/released_pansharpening_wv3.pth"))
    lms, pan = (torch.from_numpy(image(n, (1, c, 64, 64))) * 0.4 for n, c in (("psw.lms", 8), ("psw.pan", 1)))
    assert round_trip_error(model, lms, pan) < 2e-4
    model = load_pretrained(shared("weights/released_pansharpening_wv3.pth"), exact=True).double()
    assert round_trip_error(model, lms.double(), pan.double()) < 1e-10


def test_exact_is_one_switch_for_both_directions(golden_model):
    model = golden_model("ps")
    assert not model.exact
    model.exact = True
    assert model.exact
    assert all(m.exact for m in model.modules() if isinstance(m, ConvExp))


def test_conv_exp_is_the_matrix_exponential():
    torch.manual_seed(0)
    kernel = torch.randn(2, 2, 5, 5, dtype=torch.float64) * 0.3
    size = 2 * 6 * 7
    basis = torch.eye(size, dtype=torch.float64).view(size, 2, 6, 7)
    matrix = torch.nn.functional.conv2d(basis, kernel, padding=2).view(size, size).T
    x = torch.randn(1, 2, 6, 7, dtype=torch.float64)
    expected = (torch.linalg.matrix_exp(matrix) @ x.flatten()).view_as(x)
    assert (conv_exp(x, kernel, None) - expected).abs().max() < 1e-9
    ten = sum(torch.linalg.matrix_power(matrix, i) / math.factorial(i) for i in range(11)) @ x.flatten()
    assert (conv_exp(x, kernel, 10) - ten.view_as(x)).abs().max() < 1e-12
    assert (conv_exp(x, kernel, 10) - expected).abs().max() > 1e-6


def test_a_term_that_is_small_by_chance_does_not_end_the_series():
    kernel = torch.zeros(3, 3, 5, 5, dtype=torch.float64)
    kernel[1, 0, 2, 2], kernel[2, 1, 2, 2] = 1e-17, 2e17  # the first term is nothing, the second is one
    x = torch.zeros(1, 3, 4, 4, dtype=torch.float64)
    x[:, 0] = 1
    assert conv_exp(x, kernel, None)[0, 2].min() == pytest.approx(1)


def test_conv_exp_that_diverges_says_so():
    with pytest.raises(FloatingPointError, match="no convergence"):
        conv_exp(torch.ones(1, 1, 8, 8), torch.full((1, 1, 5, 5), 1e6), None)


def test_compose_derives_its_inverse_from_any_steps():
    torch.manual_seed(1)
    norm = ActNorm(4)
    norm(torch.randn(2, 4, 4, 4) * 3 + 1)
    steps = Compose(haar=Haar(), norm=norm, exp=ConvExp(4), back=Inverse(Haar()))
    x = torch.randn(2, 1, 8, 8)
    y = steps(x)
    assert y.shape == x.shape
    assert (y - x).abs().max() > 0.1
    assert (steps.inverse(y) - x).abs().max() < 1e-5
