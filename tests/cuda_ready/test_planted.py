"""The suite sees what it is for: a tensor without a device, planted in a network, a loss, the engine, is an error."""

import pytest
import torch
from fake_cuda import CUDA, StrayError, Traffic, fake_cuda
from networks_in_small import NETWORKS, images_for

from models.layers import Haar
from utils.training import accumulation, losses
from utils.training.ema import Average
from utils.training.objectives import DetailObjective, StructureObjective


def planted(monkeypatch, place, name):
    """`torch.zeros(3)` at the beginning of a function, with no other use."""
    own = getattr(place, name)

    def grown(*given, **named):
        torch.zeros(3)
        return own(*given, **named)

    monkeypatch.setattr(place, name, grown)


PLACES = {
    "a network": ("ps", DetailObjective, Haar, "forward"),
    "the other direction": ("ps", lambda model: DetailObjective(model, 1.0), Haar, "inverse"),
    "a loss": ("ivf", lambda model: StructureObjective(model, (1, 1, 1, 1)), losses, "ssim_map"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_tensor_without_a_device_is_seen(place, monkeypatch):
    task, build, where, name = PLACES[place]
    objective = build(NETWORKS[task]()).train()
    planted(monkeypatch, where, name)
    with fake_cuda():
        objective, images = objective.to(CUDA), images_for(task)
        with pytest.raises(StrayError, match="zeros"), Traffic():
            objective(*images)


@pytest.mark.parametrize(("place", "name"), [(Average, "update"), (accumulation.Objective, "groups")])
def test_in_the_engine_too(place, name, monkeypatch):
    objective = DetailObjective(NETWORKS["ps"]()).train()
    planted(monkeypatch, place, name)
    with fake_cuda():
        objective = objective.to(CUDA)
        with pytest.raises(StrayError, match="zeros"), Traffic():
            objective.groups(), Average(0.9).update(objective.model)


@pytest.mark.parametrize("what", [lambda x: x.sum().item(), lambda x: bool(x.sum() > 0), lambda x: x.cpu()])
def test_reading_back_is_counted(what):
    with fake_cuda():
        x = torch.rand(3, device=CUDA)
        with Traffic(strays=True) as traffic:
            what(x)
    assert len(traffic.reads) == 1


def test_sending_from_pageable_memory_is_counted():
    with fake_cuda():
        x = torch.rand(3, device=CUDA)
        with Traffic(strays=True) as traffic:
            x.new_tensor((1.0, 2.0))
    assert len(traffic.uploads) == 1
