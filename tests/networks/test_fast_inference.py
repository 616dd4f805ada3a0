"""Inference has its own ways: strips of rows, fewer terms; the results are the same."""

import pytest
import torch
from plain import PlainDCINN

from models.convexp import ConvExp, conv_exp
from models.fast import strips
from models.fast.series_norm import ROOM, norm, terms_that_count

CASES = {"ps": (8, 1), "hmf": (31, 3), "ivf": (1, 1)}


def random_kernel(channels, size, seed=0):
    """Of operator norm `size`, about."""
    generator = torch.Generator().manual_seed(seed)
    kernel = torch.randn(channels, channels, 5, 5, generator=generator)
    return kernel * size / norm(kernel)


@pytest.mark.parametrize(
    ("kind", "sides"),
    [
        ("ps", (128, 40)),
        ("ps", (72, 56)),
        pytest.param("hmf", (72, 24), marks=pytest.mark.slow),
        ("ivf", (128, 40)),
        ("ivf", (72, 56)),
    ],
)
def test_strips_change_nothing(kind, sides, golden_model, monkeypatch):
    model = golden_model(kind).double()
    torch.manual_seed(1)
    a, b = (torch.rand(2, channels, *sides, dtype=torch.float64) for channels in CASES[kind])
    calls = []
    original = strips.by_strips

    def counted(*arguments, **options):
        calls.append(arguments[0])
        return original(*arguments, **options)

    monkeypatch.setattr(strips, "by_strips", counted)
    monkeypatch.setattr(strips, "CACHE", 2**10)
    with torch.no_grad():
        found = model(a, b)
        back = model.invert(found, a, b)
    assert len(calls) >= (3 if kind == "ivf" else 20)
    assert (found - model(a, b).detach()).abs().max() <= 1e-11  # with gradients: whole images
    assert (back - model.invert(found, a, b).detach()).abs().max() <= 1e-11 * back.abs().max()


def test_rows_of_a_strip_depend_on_nothing_beyond_its_halo(golden_model, monkeypatch):
    """Each layer group's halo is as wide as it must be, and a narrower one is noticed."""
    model = golden_model("ps").double()
    monkeypatch.setattr(strips, "CACHE", 2**10)
    torch.manual_seed(1)
    a, b = (torch.rand(1, channels, 136, 32, dtype=torch.float64) for channels in CASES["ps"])
    with torch.no_grad():
        expected = model(a, b)
        original = strips.by_strips

        def narrower(function, inputs, halo, channels, **options):
            return original(function, inputs, halo - (halo < 8), channels, **options)

        monkeypatch.setattr(strips, "by_strips", narrower)
        assert (model(a, b) - expected).abs().max() > 1e-6


def test_terms_that_float32_does_not_see_are_left_out():
    for size, terms in ((0.1, 4), (1.0, 10), (3.0, 10)):
        kernel = random_kernel(6, size)
        counted = terms_that_count(kernel, 10)
        assert abs(counted - terms) <= (size < 1), counted
        layer = ConvExp(6).eval()
        layer.kernel.data = kernel
        x = torch.randn(1, 6, 40, 40)
        expected = conv_exp(x, kernel, 10)
        with torch.no_grad():
            assert (layer(x) - expected).abs().max() <= 1e-6 * expected.abs().max()


@pytest.mark.parametrize("channels", [1, 5, 31])
def test_the_norm_is_never_less_than_the_largest_singular_value(channels):
    kernel = torch.randn(channels, channels, 5, 5, generator=torch.Generator().manual_seed(channels))
    true = torch.linalg.matrix_norm(torch.fft.fft2(kernel, s=(64, 64)).permute(2, 3, 0, 1), ord=2).max()
    assert true <= norm(kernel) <= 1.05 * ROOM * true


def test_new_weights_are_counted_anew():
    layer = ConvExp(6).eval()
    x = torch.randn(1, 6, 24, 24)
    with torch.no_grad():
        for size in (0.02, 2.0, 0.5):
            layer.kernel.copy_(random_kernel(6, size))
            expected = conv_exp(x, layer.kernel, 10)
            assert (layer(x) - expected).abs().max() <= 1e-6 * expected.abs().max()
            assert (layer.inverse(x) - conv_exp(x, -layer.kernel, 10)).abs().max() <= 1e-6 * expected.abs().max()


@pytest.mark.parametrize("kind", CASES)
def test_all_of_it_agrees_with_the_plain_networks(kind, golden_model, monkeypatch):
    monkeypatch.setattr(strips, "CACHE", 2**14)
    model = golden_model(kind)
    torch.manual_seed(1)
    sides = (112, 120) if kind == "hmf" else (192, 200)
    a, b = (torch.rand(1, channels, *sides) for channels in CASES[kind])
    with torch.no_grad():
        found, expected = model(a, b), PlainDCINN(model)(a, b)
    assert (found - expected).abs().max() <= 1e-4 * max(1, expected.abs().max() / 4)


@pytest.mark.parametrize("channels", [2, 16])
def test_what_is_changed_after_a_call_counts_in_the_next_one(channels):
    """Terms, exact, weights in place or loaded, precision, a training step: as the plain sum has them."""
    layer = ConvExp(channels).eval()
    layer.kernel.data = random_kernel(channels, (1.5 if channels == 2 else 1.0))
    x = torch.rand(1, channels, 40, 48)

    def agrees():
        x_now = x.to(layer.kernel.dtype)
        with torch.no_grad():
            for _ in range(2):
                fused, back = layer(x_now), layer.inverse(x_now)
            terms = None if layer.exact else layer.terms
            plain = [conv_exp(x_now, sign * layer.kernel, terms) for sign in (1, -1)]
        assert (fused - plain[0]).abs().max() < 2e-5 * max(1, plain[0].abs().max())
        assert (back - plain[1]).abs().max() < 2e-5 * max(1, plain[1].abs().max())
        return fused.float()

    def step():
        layer.train()
        optimiser = torch.optim.SGD(layer.parameters(), 1e-3)
        layer(x).square().sum().backward()
        optimiser.step()
        layer.eval()

    def scale(factor):
        with torch.no_grad():
            layer.kernel.mul_(factor)

    seen = [agrees()]
    for change in (
        lambda: setattr(layer, "terms", 3),
        lambda: setattr(layer, "terms", 10),
        lambda: setattr(layer, "exact", True),
        lambda: setattr(layer, "exact", False),
        lambda: scale(0.5),
        lambda: layer.load_state_dict({"kernel": random_kernel(channels, (1.2 if channels == 2 else 0.4), seed=3)}),
        layer.double,
        layer.float,
        step,
    ):
        change()
        seen.append(agrees())
    assert (seen[1] - seen[0]).abs().max() > 5e-4
    assert (seen[2] - seen[0]).abs().max() < 2e-5
