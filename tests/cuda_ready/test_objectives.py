"""What is minimised, on a CUDA device that is not there: the terms of every loss, and the start of ActNorm."""

import pytest
import torch
from fake_cuda import CUDA, Traffic, fake_cuda
from networks_in_small import NETWORKS, images_for, views

from models.layers import ActNorm
from models.peers import build_peer
from models.peers.mae_teachers import Teacher
from utils.training.objectives import (
    ContrastObjective,
    DetailObjective,
    MaximaObjective,
    StructureObjective,
    start_actnorm,
)
from utils.training.peers.objectives import LatentObjective, RebuildObjective, TwoStageObjective, ViewsObjective
from utils.training.recipe import CONTRAST, TUNED

OBJECTIVES = {
    "ps": ("ps", DetailObjective),
    "ps, both directions": ("ps", lambda model: DetailObjective(model, 1.0)),
    "ps, the reference inverted": ("ps", lambda model: DetailObjective(model, 1.0, "reference")),
    "hmf": ("hmf", DetailObjective),
    "hmf, both directions": ("hmf", lambda model: DetailObjective(model, 1.0)),
    "ivf": ("ivf", lambda model: StructureObjective(model, (1, 0.05, 6e-4, 2.5e-4))),
    "ivf, tuned": ("ivf", lambda model: MaximaObjective(model, TUNED.maxima_weights)),
    "ivf, contrast": ("ivf", lambda model: ContrastObjective(model, CONTRAST.contrast_weights)),
}
BOTH = [pytest.param(torch.bfloat16, id="bf16"), pytest.param(None, id="float32", marks=pytest.mark.slow)]


def terms_of(objective, images, precision=None):
    """The terms, and what the device was waited for."""
    with Traffic() as traffic, torch.autocast("cuda", dtype=precision, enabled=precision is not None):
        terms = objective(*images)
    assert terms.device == images[0].device
    assert terms.shape == (len(objective.names),)
    assert terms.dtype == torch.float32
    assert terms.requires_grad
    assert not traffic.reads
    assert not traffic.uploads


@pytest.mark.parametrize("precision", BOTH)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_terms(name, precision):
    task, build = OBJECTIVES[name]
    objective = build(NETWORKS[task]()).train()
    with fake_cuda():
        objective = objective.to(CUDA)
        terms_of(objective, images_for(task), precision)


@pytest.mark.parametrize("name", ["hmf, both directions", "ivf, tuned"])
def test_terms_in_less_memory(name):
    task, build = OBJECTIVES[name]
    objective = build(NETWORKS[task]()).train()
    objective.model.recompute, objective.at_once = True, 1
    with fake_cuda():
        terms_of(objective.to(CUDA), images_for(task))


@pytest.mark.parametrize("task", NETWORKS)
def test_the_start_from_the_first_batch(task):
    model = NETWORKS[task]()
    with fake_cuda():
        model, images = model.to(CUDA), images_for(task)
        with Traffic() as traffic, torch.autocast("cuda", dtype=torch.bfloat16):
            start_actnorm(model, *images[:2])
        norms = [m for m in model.modules() if isinstance(m, ActNorm)]
        assert all(m.begun for m in norms)
        assert all(m.loc.device.type == "cuda" for m in norms)
        assert all(m.scale.dtype == torch.float32 for m in norms)
    assert not traffic.reads
    assert not traffic.uploads


@pytest.mark.parametrize("stage", [0, 1])
@pytest.mark.parametrize("precision", BOTH)
def test_terms_of_cddfuse(stage, precision):
    objective = TwoStageObjective(build_peer("cddfuse", {}), 1).train()
    objective.epoch = stage
    with fake_cuda():
        terms_of(objective.to(CUDA), images_for("ivf"), precision)


@pytest.mark.parametrize("precision", BOTH)
def test_terms_of_auif(precision):
    objective = RebuildObjective(build_peer("auif", {})).train()
    with fake_cuda():
        terms_of(objective.to(CUDA), images_for("ivf")[:1], precision)


@pytest.mark.parametrize("precision", BOTH)
@pytest.mark.parametrize("latent", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_terms_of_defusion(latent, precision):
    model = build_peer("defusion", {"latent": latent})
    objective = LatentObjective(model, (Teacher(), Teacher())) if latent else ViewsObjective(model)
    objective.train()
    with fake_cuda():
        objective = objective.to(CUDA)
        if latent:
            for teacher in objective.teachers:
                teacher.to(CUDA).to = lambda _, arrived=teacher: arrived  # it is there: fake weights move once
        terms_of(objective, views(pair=latent), precision)


@pytest.mark.parametrize("name", ["ps, both directions", "ivf", "ivf, tuned", "ivf, contrast"])
def test_the_backward_pass_of_the_losses(name, monkeypatch):
    """On the meta device, which refuses the CPU's tensors like CUDA and whose backward pass needs no GPU."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: torch.enable_grad())  # meta has none
    task, build = OBJECTIVES[name]
    objective = build(NETWORKS[task]()).to("meta").train()
    objective(*images_for(task, device="meta"))[0].backward()
    assert {p.grad.device.type for p in objective.parameters() if p.grad is not None} == {"meta"}
