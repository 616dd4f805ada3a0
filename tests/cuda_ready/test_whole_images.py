"""Tiles, scene pooling and validation with a network on a CUDA device that is not there; results come back once."""

import numpy as np
import pytest
import torch
from fake_cuda import CUDA, Traffic, fake_cuda
from networks_in_small import CHANNELS, NETWORKS

from utils import tiling
from utils.training.ema import Average
from utils.training.objectives import DetailObjective
from utils.training.validation import validated, with_reference, without_reference


@pytest.fixture
def numbers(monkeypatch):
    """What comes back from the device is one half everywhere."""
    monkeypatch.setattr(torch.Tensor, "numpy", lambda tensor: np.full(tuple(tensor.shape), 0.5, np.float32))


@pytest.mark.parametrize("scene", [False, True])
def test_tiles_come_back_one_by_one(scene):
    model = NETWORKS["ps"]()
    with fake_cuda():
        model = model.to(CUDA).eval()
        images = [torch.rand(1, c, 48, 64) for c in CHANNELS["ps"]]
        with Traffic(strays=True) as traffic:
            fused = tiling.fuse(model, *images, tile=32, scene=scene)
        assert fused.shape == (1, 8, 48, 64)
        assert fused.device.type == "cpu"
    tiles = tiling.Tiling(48, 64, 32).count * (1 + scene)  # twice where the means are taken first
    assert len([read for read in traffic.reads if "(1, 8" in read]) == tiles
    assert len(traffic.uploads) == 2 * tiles


@pytest.mark.parametrize("task", ["ps", "ivf"])
def test_validation_with_an_average(task, numbers):
    rng = np.random.default_rng(1)
    first, second = CHANNELS[task]
    roles = {"base_image": first, "guide": second, "gt": first}
    items = [{"name": str(i), **{k: rng.random((c, 32, 32), np.float32) for k, c in roles.items()}} for i in range(2)]
    if task == "ps":
        validation = with_reference(items, 4, ("EXP", "base_image"))
    else:
        validation = without_reference(items, lambda *images: images[0].mean())
    objective = DetailObjective(NETWORKS[task]())
    with fake_cuda():
        objective, average = objective.to(CUDA), Average(0.9)
        for _ in range(2):
            average.update(objective.model)
        with Traffic(strays=True) as traffic:
            metrics, pictures = validated(validation, objective, average)
        assert {w.device.type for w in average.weights.values()} == {"cuda"}
        assert all(p.device.type == "cuda" for p in objective.parameters())
    assert set(metrics) == set(validation.names)
    assert len(pictures) == 2
    assert len(traffic.reads) == 2, "each fused image once"
