"""Tensor operations and waits for the device of a training step, counted: neither may grow unseen."""

import copy
from collections import Counter

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from data.simulate import spectral_response
from models import dcinn_hmf, dcinn_ps
from models.fast import reflect_conv, series
from models.layers import ActNorm
from utils.training.ema import Average
from utils.training.objectives import DetailObjective
from utils.training.resume import load_optimiser
from utils.training.update import ADAM

WAIT = "aten._local_scalar_dense.default"  # a number that Python asks the device for
TASKS = {  # network, channels of base image and guide, weight of the inverse pass, most operations
    "ps": (lambda: dcinn_ps(8), (8, 1), 1.0, {"passes": 3785, "update": 320}),
    "hmf": (lambda: dcinn_hmf(srf=spectral_response()), (31, 3), 0.0, {"passes": 2277, "update": 377}),
}


class Counted(TorchDispatchMode):
    """Counts the operations inside a with block."""

    def __init__(self):
        super().__init__()
        self.counts = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.counts[str(function)] += 1
        return function(*args, **kwargs or {})

    def total(self):
        return sum(self.counts.values())


@pytest.mark.parametrize("task", TASKS)
def test_a_step_has_no_more_operations_than_counted_and_waits_for_nothing(task, monkeypatch):
    for way in (series, reflect_conv):
        monkeypatch.setattr(way, "routines_for", lambda channels: None)  # as on a GPU
    build, channels, weight, most = TASKS[task]
    objective = DetailObjective(build(), weight)
    images = [torch.rand(2, c, 16, 16) for c in (*channels, channels[0])]
    objective.start({"base_image": images[0], "guide": images[1]})
    (group,) = objective.groups()
    optimiser, average = torch.optim.Adam(group.parameters, lr=1e-4, **ADAM), Average(0.9)
    objective.train()

    def update():
        torch.nn.utils.clip_grad_norm_(group.parameters, 1.0)
        optimiser.step()
        average.update(objective.model)

    objective(*images)[0].backward()
    update()
    optimiser.zero_grad()
    with Counted() as passes:
        objective(*images)[0].backward()
    with Counted() as updated:
        update()
    assert passes.counts[WAIT] == updated.counts[WAIT] == 0
    assert passes.total() <= most["passes"]
    assert updated.total() <= most["update"]


def waits(norm, x):
    with Counted() as counted:
        norm(x)
    return counted.counts[WAIT]


def test_actnorm_never_asks_and_follows_what_is_loaded():
    x = torch.rand(2, 3, 4, 4) + 5
    norm = ActNorm(3).train()
    fresh = copy.deepcopy(norm.state_dict())
    assert set(fresh) == {"loc", "scale", "initialized"}
    assert waits(norm, x) == 0
    assert waits(norm, x) == waits(copy.deepcopy(norm), x) == waits(norm.to(torch.float64), x.double()) == 0
    norm.float()
    started = copy.deepcopy(norm.state_dict())
    norm.load_state_dict(fresh)
    y = norm(x)
    assert y.mean(dim=(0, 2, 3)).abs().max() < 1e-4, "started anew, as the state says"
    other = ActNorm(3).train()
    other.load_state_dict(started)
    assert waits(other, x + 1) == 0
    assert torch.equal(other.loc, started["loc"]), "not started from this batch"
    late = ActNorm(3).train()
    late.initialized.fill_(1)  # as a broadcast from another process does
    assert torch.equal(late(x), x)


def steps(optimiser, weight, numbers):
    for i in numbers:
        weight.grad = torch.sin(torch.arange(weight.numel()) * (i + 1.0)).view_as(weight)
        optimiser.step()


def test_fused_adam_goes_on_from_a_file_of_another_way():
    """Files of earlier versions are of the loop over weights; numbers differ by rounding alone."""
    start = torch.linspace(-1, 1, 35).view(5, 7)
    plain, ours, resumed = (torch.nn.Parameter(start.clone()) for _ in range(3))
    options = {name: value for name, value in ADAM.items() if name != "fused"}
    loop = torch.optim.Adam([plain], lr=1e-2, **options)
    fused = torch.optim.Adam([ours], lr=1e-2, **ADAM)
    steps(loop, plain, range(5))
    steps(fused, ours, range(5))
    assert torch.allclose(plain, ours, rtol=1e-6)
    going_on = torch.optim.Adam([resumed], lr=1e-2, **ADAM)
    resumed.data.copy_(plain.data)
    load_optimiser(going_on, copy.deepcopy(loop.state_dict()))
    assert going_on.param_groups[0]["fused"] is True
    steps(loop, plain, range(5, 10))
    steps(going_on, resumed, range(5, 10))
    assert torch.allclose(plain, resumed, rtol=1e-6)
