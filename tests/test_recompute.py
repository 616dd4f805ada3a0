"""Training in less memory gives the same gradients and keeps less; the plain networks are the oracle of both."""

import sys
from pathlib import Path

import pytest
import torch
from training import train

from models import load_pretrained
from models import recompute as recompute_module
from models.released import released_name

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
from plain import PlainDCINN

CASES = {"ps": (8, 1), "hmf": (31, 3), "ivf": (1, 1)}


def sources(kind, side=32):
    torch.manual_seed(1)
    return [torch.rand(2, channels, side, side) for channels in CASES[kind]]


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
    model, (a, b) = golden_model(kind), sources(kind)
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
        assert loss.item() == pytest.approx(reference.item(), rel=1e-5)
        for name, one, other in zip(names, found, expected, strict=True):
            room = 2e-5 * max(float(other.norm()), 1e-2 * float(largest))
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


def test_the_training_switch_changes_nothing_but_the_memory(tmp_path):
    states = []
    for name, options in (("whole", ()), ("again", ("--recompute",))):
        train("ivf_tno", tmp_path / name, "--steps", 2, *options)
        states.append(load_pretrained(tmp_path / name / "run/last.pth").state_dict())
    assert all(torch.allclose(a, b, rtol=1e-4, atol=1e-7) for a, b in zip(*map(dict.values, states), strict=True))
