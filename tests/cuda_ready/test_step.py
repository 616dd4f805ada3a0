"""A whole step of the engine on a CUDA device that is not there: what it reads back, what it sends, what it costs."""

import numpy as np
import pytest
import torch
from fake_cuda import CUDA, Traffic, fake_cuda, without_backward
from networks_in_small import CHANNELS, NETWORKS

from models.peers import build_peer
from utils.training.engine import Trainer
from utils.training.graphs import why_not
from utils.training.loader import Batches
from utils.training.objectives import ContrastObjective, DetailObjective, StructureObjective
from utils.training.peers.objectives import TwoStageObjective
from utils.training.recipe import CONTRAST, Recipe
from utils.training.resident import ResidentBatches
from utils.training.settings import Settings
from utils.training.validation import Validation

RECIPE = Recipe(lr=1e-3, epochs=1, batch=2, patch=16, milestones=(1,))
OBJECTIVES = {
    "ps": ("ps", lambda: DetailObjective(NETWORKS["ps"](), 1.0)),
    "hmf": ("hmf", lambda: DetailObjective(NETWORKS["hmf"]())),
    "ivf": ("ivf", lambda: StructureObjective(NETWORKS["ivf"](), (1, 0.05, 6e-4, 2.5e-4))),
    "contrast": ("ivf", lambda: ContrastObjective(NETWORKS["ivf"](), CONTRAST.contrast_weights)),
    "cddfuse": ("ivf", lambda: TwoStageObjective(build_peer("cddfuse", {}), 1)),
}


class Patches:
    """Ten random patches."""

    fixed = True

    def __init__(self, task):
        self.channels = CHANNELS[task]

    def __len__(self):
        return 10

    def sample(self, index, rng=None):
        first, second = self.channels
        roles = {"base_image": first, "guide": second, "gt": first}
        return {"name": str(index), **{k: np.full((c, 16, 16), index, np.float32) for k, c in roles.items()}}


def fake_trainer(name, folder, **settings):
    """A trainer whose network, averages and moments are on the fake device; call it inside `fake_cuda`."""
    task, build = OBJECTIVES[name]
    model = build()
    with fake_cuda():
        objective = model.to(CUDA)
        nothing = Validation((), 1, lambda _: ({}, {}))
        return Trainer(objective, Batches(Patches(task), 2, 0), nothing, Settings(folder, CUDA, RECIPE, **settings))


def batch_of(trainer):
    """A batch as the loader pins it: it is sent without waiting."""
    first, second = CHANNELS["ivf" if trainer.model.config.as_dict().get("task") is None else trainer.model.config.task]
    return {
        **{k: torch.rand(2, c, 16, 16) for k, c in {"base_image": first, "guide": second, "gt": first}.items()},
        "names": ["a", "b"],
        "bad": [],
    }


@pytest.mark.parametrize("amp", ["off", "bf16", "fp16"])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_step_waits_for_nothing_and_its_losses_are_read_once_for_all(name, amp, tmp_path, monkeypatch):
    if amp != "off" and name not in {"hmf", "contrast"}:
        pytest.skip("precisions are tried on two")
    trainer = fake_trainer(name, tmp_path, ema=0.9, amp=amp, read_every=4)
    monkeypatch.setattr(torch.Tensor, "numpy", lambda tensor: np.full(tuple(tensor.shape), 0.5))
    with fake_cuda():
        without_backward(monkeypatch, trainer.model)
        for number in range(2):  # the first one makes moments and averages
            batch = batch_of(trainer)
            with Traffic() as traffic:
                terms, norm = trainer._one_step(trainer.update, batch)
                trainer.readings.add(number + 1, number + 1, batch["names"], terms, norm)
        assert (terms.device.type, norm.device.type, norm.ndim) == ("cuda", "cuda", 0)
        assert not traffic.reads
        assert not traffic.uploads
        with Traffic() as traffic:
            trainer._read(None)
        assert len(traffic.reads) == 1, "two steps, one reading"
        state = trainer.optimiser.state
        assert {v.device.type for moments in state.values() for v in moments.values()} == {"cuda"}
        assert {w.device.type for w in trainer.average.weights.values()} == {"cuda"}
    assert (trainer.sums == 1.0).all(), "one half for each step"


def test_a_checkpoint_asks_once_whether_its_weights_are_finite(tmp_path, monkeypatch):
    trainer = fake_trainer("ps", tmp_path, ema=0.9)
    kept = []
    monkeypatch.setattr("utils.training.engine.save_checkpoint", lambda *given: kept.append(given))
    with fake_cuda(), Traffic(strays=True) as traffic:  # the random numbers' states are the CPU's
        trainer.save()
    assert traffic.reads == ["aten._local_scalar_dense.default"]
    assert kept


def test_batches_from_the_devices_memory_are_neither_read_nor_sent(tmp_path):
    batches = Batches(Patches("ps"), 4, 0, short_last=True)
    with fake_cuda():
        resident = ResidentBatches(batches, CUDA)
        with Traffic(strays=True) as traffic:
            found = list(resident.epoch(0))
        assert {b["gt"].device.type for b in found} == {"cuda"}
    assert [len(b["names"]) for b in found] == [4, 4, 2]
    assert not traffic.reads
    assert len(traffic.uploads) == 1, "the order, once an epoch"


@pytest.mark.parametrize(("amp", "one_graph", "words"), [("fp16", True, "fp16"), ("off", False, "differ")])
def test_steps_that_cannot_be_recorded(amp, one_graph, words, tmp_path):
    assert words in why_not(Settings(tmp_path, CUDA, RECIPE, amp=amp), one_graph)
    assert why_not(Settings(tmp_path, CUDA, RECIPE, amp="bf16", compile="default"), True) is None
    for mode in ("reduce-overhead", "max-autotune"):
        assert mode in why_not(Settings(tmp_path, CUDA, RECIPE, compile=mode), True)
