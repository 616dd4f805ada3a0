"""Inference has its own ways: strips of rows, Fourier transforms, fewer terms; the results are the same."""

import copy

import pytest
import torch
from plain import PlainDCINN

from models import convexp
from models.convexp import ConvExp, Prepared, conv_exp
from models.fast import series_fft, strips, tile_fft
from models.fast.series_fft import Spectrum, norm

CASES = {"ps": (8, 1), "hmf": (31, 3), "ivf": (1, 1)}


def random_kernel(channels, size, seed=0):
    """Of operator norm `size`, about."""
    generator = torch.Generator().manual_seed(seed)
    kernel = torch.randn(channels, channels, 5, 5, generator=generator)
    return kernel * size / norm(kernel)


@pytest.mark.parametrize(
    ("kind", "sides"), [("ps", (128, 40)), ("ps", (72, 56)), ("hmf", (72, 24)), ("ivf", (128, 40)), ("ivf", (72, 56))]
)
def test_strips_change_nothing(kind, sides, golden_model, monkeypatch):
    model = golden_model(kind).double()
    torch.manual_seed(1)
    a, b = (torch.rand(2, channels, *sides, dtype=torch.float64) for channels in CASES[kind])
    calls = []
    original = strips.by_strips

    def counted(*arguments):
        calls.append(arguments[0])
        return original(*arguments)

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
        monkeypatch.setattr(
            strips, "by_strips", lambda f, x, halo, channels: original(f, x, halo - (halo < 8), channels)
        )
        assert (model(a, b) - expected).abs().max() > 1e-6


@pytest.mark.parametrize(
    ("channels", "size", "sides"), [(3, 1.5, (150, 131)), (8, 2.5, (256, 200)), (70, 1.0, (97, 96))]
)
def test_the_series_by_fourier_transforms(channels, size, sides, monkeypatch):
    monkeypatch.setattr(tile_fft, "AT_ONCE", 2**15)  # several groups of tiles
    kernel = random_kernel(channels, size)
    spectrum = Spectrum(kernel, 10)
    assert spectrum.pays(*sides)
    torch.manual_seed(0)
    for x in (torch.randn(2, channels, *sides), torch.ones(1, channels, *sides)):
        expected = conv_exp(x.double(), kernel.double(), 10)
        found = spectrum(x.contiguous(memory_format=torch.channels_last))
        difference = (found - expected).abs() / expected.abs().max()
        assert difference.max() <= 3e-6
        inside = spectrum.band + 1
        assert difference[..., inside:-inside, inside:-inside].max() <= 2.5e-6


def test_no_spectrum_for_kernels_that_do_not_fade():
    kernel = torch.zeros(2, 2, 5, 5)
    kernel[:, :, 0, 0] = kernel[:, :, 4, 4] = 9.0
    spectrum = Spectrum(kernel, 40)
    assert spectrum.reach is None
    assert not spectrum.pays(4096, 4096)


def test_images_with_more_band_than_interior_are_summed():
    spectrum = Spectrum(random_kernel(4, 1.5), 10)
    assert not spectrum.pays(2 * spectrum.band, 4096)
    assert not spectrum.pays(64, 64)
    assert spectrum.pays(1024, 1024)


def test_terms_that_float32_does_not_see_are_left_out():
    for size, terms in ((0.1, 4), (1.0, 10), (3.0, 10)):
        kernel = random_kernel(6, size)
        prepared = Prepared(kernel, 10)
        assert abs(prepared.terms - terms) <= (size < 1), prepared.terms
        x = torch.randn(1, 6, 40, 40)
        expected = conv_exp(x, kernel, 10)
        assert (prepared(x) - expected).abs().max() <= 1e-6 * expected.abs().max()


def test_a_layer_uses_the_spectrum_once_it_pays_and_notices_new_weights(monkeypatch):
    monkeypatch.setattr(convexp, "WORTH", 20000)
    layer = ConvExp(4)
    torch.manual_seed(0)
    x = torch.randn(1, 4, 128, 130)
    with torch.no_grad():
        for size in (1.5, 0.7):
            layer.kernel.data = random_kernel(4, size)
            expected = conv_exp(x, layer.kernel, 10)
            first, second = layer(x), layer(x)
            assert torch.equal(first, expected) or (first - expected).abs().max() <= 1e-6 * expected.abs().max()
            assert layer._prepared[1].spectrum is not None
            assert not torch.equal(second, first)
            assert (second - expected).abs().max() <= 2e-5 * expected.abs().max()
        back = layer.inverse(layer(x))
        assert (back - x)[..., 30:-30, 30:-30].abs().max() <= 1e-4 * x.abs().max()
    layer.kernel.requires_grad_(True)
    assert layer(x).requires_grad
    assert not any(key.startswith("_") for key in layer.state_dict())


def test_spectra_are_dropped_by_copies_and_by_training(monkeypatch):
    monkeypatch.setattr(convexp, "WORTH", 0)
    layer = ConvExp(4).eval()
    layer.kernel.data = random_kernel(4, 1.0)
    with torch.no_grad():
        layer(torch.randn(1, 4, 128, 128))
    side = layer._prepared[1].spectrum.interior.side
    assert layer.kept_bytes == 4 * 4 * side * (side // 2 + 1) * 8
    assert copy.deepcopy(layer).kept_bytes == 0
    assert layer.eval().kept_bytes > 0
    assert layer.train().kept_bytes == 0
    assert layer._prepared == {}


def test_spectra_too_large_to_keep_are_not_made(monkeypatch):
    kernel = random_kernel(8, 1.0)
    size = Spectrum(kernel, 10).nbytes
    for most, made in ((size, True), (size - 1, False)):
        monkeypatch.setattr(series_fft, "MOST_BYTES", most)
        assert (Spectrum(kernel, 10).reach is not None) == made


@pytest.mark.parametrize("kind", CASES)
def test_all_of_it_agrees_with_the_plain_networks(kind, golden_model, monkeypatch):
    monkeypatch.setattr(convexp, "LEAST_SIDE", 100 if kind == "hmf" else 48)
    monkeypatch.setattr(convexp, "WORTH", 0)
    monkeypatch.setattr(strips, "CACHE", 2**14)
    model = golden_model(kind)
    torch.manual_seed(1)
    sides = (112, 120) if kind == "hmf" else (192, 200)
    a, b = (torch.rand(1, channels, *sides) for channels in CASES[kind])
    with torch.no_grad():
        found, expected = model(a, b), PlainDCINN(model)(a, b)
    used = [layer._prepared[1].spectrum for layer in model.modules() if isinstance(layer, ConvExp)]
    assert any(spectrum is not None for spectrum in used)
    assert (found - expected).abs().max() <= 1e-4 * max(1, expected.abs().max() / 4)


@pytest.mark.parametrize("spectrum", [True, False])
def test_what_is_changed_after_a_call_counts_in_the_next_one(spectrum, monkeypatch):
    """Terms, exact, weights in place or loaded, precision, a training step: as the plain sum has them."""
    monkeypatch.setattr(convexp, "WORTH", 0 if spectrum else 2**40)
    monkeypatch.setattr(convexp, "LEAST_SIDE", 32)
    layer = ConvExp(2).eval()
    layer.kernel.data = random_kernel(2, 1.5)
    x = torch.rand(1, 2, 128, 128)

    def agrees():
        x_now = x.to(layer.kernel.dtype)
        with torch.no_grad():
            for _ in range(2):
                fused, back = layer(x_now), layer.inverse(x_now)
            terms = None if layer.exact else layer.terms
            plain = [conv_exp(x_now, sign * layer.kernel, terms) for sign in (1, -1)]
        assert (fused - plain[0]).abs().max() < 2e-5
        assert (back - plain[1]).abs().max() < 2e-5
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
        lambda: layer.load_state_dict({"kernel": random_kernel(2, 1.2, seed=3)}),
        layer.double,
        layer.float,
        step,
    ):
        change()
        seen.append(agrees())
    assert (seen[1] - seen[0]).abs().max() > 1e-3
    assert (seen[2] - seen[0]).abs().max() < 2e-5
