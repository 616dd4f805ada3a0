"""The windows of the SSIM loss: by matrices and by convolutions, both what SciPy computes."""

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate1d

from utils.training import losses
from utils.training.losses import SSIM_SIGMA, means_by_convolutions, means_by_matrices, ssim_map

WAYS = (means_by_matrices, means_by_convolutions)
IMAGES = np.random.default_rng(4).random((2, 2, 3, 15, 22))


@pytest.mark.parametrize("way", WAYS)
def test_means_are_those_of_scipy(way):
    weights = np.exp(-((np.arange(11) - 5) ** 2) / (2 * SSIM_SIGMA**2)) * np.linspace(1, 2, 11)  # of no symmetry
    expected = correlate1d(correlate1d(IMAGES[0], weights, axis=2, mode="mirror"), weights, axis=3, mode="mirror")
    for reflect in (True, False):
        found = way(torch.from_numpy(weights), IMAGES.shape[-2:], reflect)(torch.from_numpy(IMAGES[0]))
        assert np.allclose(found, expected if reflect else expected[..., 5:-5, 5:-5], rtol=1e-12)


@pytest.mark.parametrize("whole", [False, True])
def test_ssim_and_its_gradient_are_the_same_either_way(whole, monkeypatch):
    found = []
    for way in WAYS:
        for name in ("means_by_matrices", "means_by_convolutions"):
            monkeypatch.setattr(losses, name, way)
        x, y = (torch.from_numpy(image).requires_grad_() for image in IMAGES)
        ssim_map(x, y, whole=whole).square().sum().backward()
        found.append((x.grad, y.grad))
    for matrices, convolutions in zip(*found, strict=True):
        assert matrices.abs().max() > 0.01
        assert torch.allclose(matrices, convolutions, rtol=1e-9, atol=1e-12)
