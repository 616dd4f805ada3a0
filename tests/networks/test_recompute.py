"""Training in less memory gives the same gradients and keeps less; the plain networks are the oracle of both."""

from pathlib import Path

import pytest
import torch
from plain import PlainDCINN
from small_trainings import train

from models import load_pretrained
from models import recompute as recompute_module
from models.weights.author_names import released_name
from utils.training.accumulation import accumulated
from utils.training.objectives import DetailObjective, StructureObjective
from utils.training.recipe import Recipe
from utils.training.settings import Settings

CASES = {"ps": (8, 1), "hmf": (31, 3), "ivf": (1, 1)}


def sources(kind, side=32, batch=2):
    torch.manual_seed(1)
    return [torch.rand(batch, channels, side, side) for channels in CASES[kind]]


def gradients(loss, parameters, monkeypatch):
    """Loss, gradients, and the bytes that autograd and the recomputed parts keep until the backward pass."""
    kept, original = {}, recompute_module.checkpoint

    def pack(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    def checkpoint(function, x, *more, **options):
        for tensor in (x, *(more[0] if more else ())):
            pack(tensor)
        return original(function, x, *more, **options)

    monkeypatch.setattr(recompute_module, "checkpoint", checkpoint)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        value = loss()
    return value, torch.autograd.grad(value, parameters), sum(kept.values())


@pytest.mark.parametrize("kind", CASES)
def test_gradients_are_the_same_and_much_less_is_kept(kind, golden_model, monkeypatch):
    model, (a, b) = golden_model(kind).double(), [image.double() for image in sources(kind)]  # rounding apart
    plain = PlainDCINN(model)
    names = [name for name, _ in model.named_parameters()]
    reference, expected, most = gradients(
        lambda: (plain(a, b) - 0.3).abs().mean(),
        [plain.weights[released_name(name, model.config.task)] for name in names],
        monkeypatch,
    )
    largest = max(g.abs().max() for g in expected)
    kept = {}
    for recompute in (False, True):
        model.recompute = recompute
        assert model.recompute == recompute
        loss, found, kept[recompute] = gradients(
            lambda: (model(a, b) - 0.3).abs().mean(), list(model.parameters()), monkeypatch
        )
        assert loss.item() == pytest.approx(reference.item(), rel=1e-12)
        for name, one, other in zip(names, found, expected, strict=True):
            room = 1e-10 * max(float(other.norm()), 1e-2 * float(largest))
            assert float((one - other.reshape(one.shape)).norm()) <= room, name
    weights = sum(p.nbytes for p in model.parameters())
    assert kept[True] < (most - weights) / 8


def test_both_directions(golden_model):
    model, (a, b) = golden_model("ps"), sources("ps")
    results = []
    for recompute in (False, True):
        model.recompute = recompute
        loss = (model.invert(a * 0.9, a, b) - 0.1).square().mean()
        results.append(torch.autograd.grad(loss, list(model.parameters())))
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))


@pytest.mark.parametrize("name", [pytest.param("ps", marks=pytest.mark.slow), "ivf_tno"])
def test_the_training_switches_change_nothing_but_the_memory(name, tmp_path):
    states = []
    for run, options in (("whole", ()), ("again", ("--recompute",)), ("parts", ("--at-once", 1))):
        train(name, tmp_path / run, "--steps", 2, *options)
        states.append(load_pretrained(tmp_path / run / "run/last.pth").state_dict())
    for other in states[1:]:
        for key, value in states[0].items():
            assert torch.allclose(value, other[key], rtol=1e-4, atol=1e-6), key


def recipe(name, model):
    """The objective of a task on the network, its inputs, and the options of a step."""
    if name == "ivf":
        return StructureObjective(model, (1, 1, 1e-4, 1e-3)), sources("ivf", 32, 3)
    a, b = sources(name, 32, 3)
    return DetailObjective(model, 1.0, "reference"), [a, b, a.flip(-1)]


@pytest.mark.parametrize("name", ["ps", pytest.param("hmf", marks=pytest.mark.slow), "ivf"])
def test_parts_of_a_batch_give_the_gradients_of_the_batch(name, golden_model, monkeypatch):
    """Three samples, two at once: a part is smaller than the others."""
    objective, inputs = recipe(name, golden_model(name))
    objective, inputs = objective.double(), [image.double() for image in inputs]  # in which no ReLU's sign flips
    found, terms, seen = {}, {}, []
    objective.model.anet.register_forward_pre_hook(lambda _, x: seen.append(len(x[0])))
    for at_once in (None, 2):
        seen.clear()
        objective.zero_grad(set_to_none=True)
        objective.at_once = at_once
        settings = Settings(Path(), torch.device("cpu"), Recipe(1e-4, 1, 1, 1), at_once=at_once)
        terms[at_once] = accumulated(objective, objective, inputs, torch.amp.GradScaler("cpu", enabled=False), settings)
        found[at_once] = {key: p.grad for key, p in objective.named_parameters()}
        assert seen == {None: [3], 2: [2, 1, 1, 2] if name == "ivf" else [2, 1]}[at_once]  # ivf: again, backwards
    assert terms[2].tolist() == pytest.approx(terms[None].tolist(), rel=1e-5)
    largest = max(float(g.norm()) for g in found[None].values())
    for key, gradient in found[None].items():
        difference = float((found[2][key] - gradient).norm())
        assert difference <= 2e-5 * max(float(gradient.norm()), 1e-2 * largest), key
