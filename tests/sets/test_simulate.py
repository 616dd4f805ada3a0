"""Filters, interpolation and resizing against the DLPan-Toolbox (run in Octave), and the CAVE degradation."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from data.hyperspectral import fusion_inputs
from data.simulate import (
    degrade_hsi,
    imresize,
    interp23,
    mtf_filter,
    mtf_filter_pan,
    mtf_kernels,
    spectral_response,
    wald,
)

EXPECTED = Path(__file__).parents[1] / "expected"
TOOLBOX = json.loads((EXPECTED / "pansharpening.json").read_text())
IMAGES = dict(np.load(EXPECTED / "pansharpening_case1.npz"))


@pytest.mark.parametrize("sensor", TOOLBOX["mtf_kernels_ratio4"])
def test_mtf_kernels(sensor):
    expected = np.array(TOOLBOX["mtf_kernels_ratio4"][sensor])  # sum, then the centre row from the centre outwards
    kernels = mtf_kernels(sensor, len(expected))
    found = np.column_stack([kernels.sum(axis=(1, 2)), kernels[:, 20, 20:27]])
    assert np.abs(found - expected).max() < 1e-12


@pytest.mark.parametrize(("sensor", "gain"), [("WV3", 0.14), ("WV2", 0.11), ("QB", 0.15), ("anything", 0.15)])
def test_the_pans_filter_has_the_pans_gain_at_nyquist(sensor, gain):
    """A wave of the low-resolution Nyquist frequency, as a 41-point transform has it, comes through by the gain."""
    wave = np.tile(np.cos(2 * np.pi * 5 / 41 * np.arange(123)), (123, 1))
    assert mtf_filter_pan(wave, sensor)[61, 41:82].max() == pytest.approx(gain, abs=0.004)


def test_interp23():
    expected, up = TOOLBOX["case1"]["interp23tap_ms"], interp23(IMAGES["ms"])
    assert up[0, 0, 0] == pytest.approx(expected["px_row0_col0_band0"], rel=1e-12)
    assert up[10, 7, 2] == pytest.approx(expected["px_row10_col7_band2"], rel=1e-12)
    assert (up**2).sum() == pytest.approx(expected["sumsq"], rel=1e-12)


def test_imresize_names_its_methods():
    with pytest.raises(ValueError, match="found method 'nearest', expected bicubic or bilinear"):
        imresize(IMAGES["pan"], 2, "nearest")


def test_imresize():
    expected, low = TOOLBOX["case1"]["pan_down4_bicubic_antialias"], imresize(IMAGES["pan"], 1 / 4)
    assert low[0, 0] == pytest.approx(expected["px_0_0"], rel=1e-12)
    assert low[5, 9] == pytest.approx(expected["px_5_9"], rel=1e-12)
    assert (low**2).sum() == pytest.approx(expected["sumsq"], rel=1e-12)


def test_mtf_filter():
    expected, low = TOOLBOX["case1"]["fused_MTF_WV3"], mtf_filter(IMAGES["fused"], "WV3")
    assert low[0, 0, 0] == pytest.approx(expected["px_0_0_0"], rel=1e-12)
    assert low[50, 60, 1] == pytest.approx(expected["px_50_60_1"], rel=1e-12)
    assert (low**2).sum() == pytest.approx(expected["sumsq"], rel=1e-12)


def test_wald_takes_the_toolbox_grid():
    ms, pan = IMAGES["gt"], np.kron(IMAGES["pan"], np.ones((4, 4)))
    reduced = wald(ms, pan, sensor="WV3")
    assert {k: v.shape for k, v in reduced.items()} == {
        "gt": (192, 192, 8),
        "lms": (192, 192, 8),
        "ms": (48, 48, 8),
        "pan": (192, 192),
    }
    assert np.array_equal(reduced["ms"], mtf_filter(ms, "WV3")[2::4, 2::4])
    assert np.array_equal(reduced["pan"], mtf_filter_pan(pan, "WV3")[2::4, 2::4])
    assert np.array_equal(wald(ms, pan, sensor="WV3", pan_filter="bicubic")["pan"], imresize(pan, 1 / 4))
    # The case's own ms was made by the toolbox from this gt, and rounded.
    assert np.abs(np.rint(reduced["ms"]) - IMAGES["ms"]).max() <= 1


def test_bilinear_upsampling_is_pytorchs():
    low = np.random.default_rng(0).random((9, 13, 2))
    theirs = functional.interpolate(torch.from_numpy(low).permute(2, 0, 1)[None], scale_factor=4, mode="bilinear")
    assert np.abs(imresize(low, 4, "bilinear") - theirs[0].permute(1, 2, 0).numpy()).max() < 1e-12


@pytest.mark.parametrize("ratio", [4, 8])
def test_degradation_samples_from_half_the_ratio(ratio):
    """An impulse on a sampled pixel gives the kernel's centre; the kernel is exp(-d^2 / (2 0.5^2)), normalised."""
    image = np.zeros((32, 32, 1))
    image[ratio // 2 + ratio, ratio // 2] = 1
    low = degrade_hsi(image, ratio)
    side = np.exp(-2)
    assert low[1, 0, 0] == pytest.approx(1 / (1 + 2 * side) ** 2)
    assert low.sum() == pytest.approx(low[1, 0, 0])


def test_fusion_inputs_mix_the_bands_by_the_response():
    gt = np.random.default_rng(0).random((31, 16, 16)).astype(np.float32)
    inputs = fusion_inputs(gt, spectral_response(), 4)
    assert {k: v.shape for k, v in inputs.items()} == {
        "lr": (31, 4, 4),
        "hsi_up": (31, 16, 16),
        "bicubic": (31, 16, 16),
        "rgb": (3, 16, 16),
    }
    for channel in range(3):
        pixel = sum(gt[b, 3, 5] * spectral_response()[b, channel] for b in range(31))
        assert inputs["rgb"][channel, 3, 5] == pytest.approx(pixel, rel=1e-6)
    low = np.moveaxis(inputs["lr"], 0, -1)
    assert np.allclose(inputs["hsi_up"], np.moveaxis(imresize(low, 4, "bilinear"), -1, 0), atol=1e-6)
    assert np.allclose(inputs["bicubic"], np.moveaxis(imresize(low, 4, "bicubic"), -1, 0), atol=1e-6)


@pytest.mark.parametrize("bad", [{"ms": (10, 12, 8), "pan": (40, 48)}, {"ms": (8, 8, 8), "pan": (32, 40)}])
def test_wald_refuses_sides_that_do_not_fit(bad):
    with pytest.raises(ValueError, match="expected"):
        wald(np.zeros(bad["ms"]), np.zeros(bad["pan"]), sensor="WV3")


def test_a_sensor_of_other_bands_is_refused():
    with pytest.raises(ValueError, match="expected 8"):
        mtf_kernels("WV3", 4)
