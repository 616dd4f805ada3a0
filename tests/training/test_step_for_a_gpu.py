"""The switches that are for a GPU, on a CPU: the same batches, the same numbers, the same log."""

import numpy as np
import pytest
import torch
from small_trainings import refused, rows, train
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from models import dcinn_ps, load_pretrained
from models.weights.checkpoint import load_extra
from utils.training import resident
from utils.training.graphs import WARM_UP, Recorded
from utils.training.loader import Batches
from utils.training.objectives import DetailObjective
from utils.training.recipe import Recipe
from utils.training.settings import Settings
from utils.training.update import Update

SIX = ("--epochs", 2, "--steps", 6, "--ema", 0.9, "--save-every", 3, "--batch", 4)


def assert_same_run(one, other):
    states = [load_pretrained(folder / "run/last.pth").state_dict() for folder in (one, other)]
    assert all(torch.equal(a, b) for a, b in zip(states[0].values(), states[1].values(), strict=True))
    extras = [load_extra(folder / "run/last.pth")["training"] for folder in (one, other)]
    assert extras[0]["sums"] == extras[1]["sums"]
    assert extras[0]["settings"] == extras[1]["settings"]
    logs = [[{k: v for k, v in row.items() if k != "seconds"} for row in rows(folder)] for folder in (one, other)]
    assert logs[0] == logs[1]
    boards = []
    for folder in (one, other):
        board = EventAccumulator(str(folder / "run/tensorboard"))
        board.Reload()
        boards.append([(event.step, event.value) for event in board.Scalars("step/loss")])
    assert boards[0] == boards[1]
    assert [step for step, _ in boards[0]] == [1, 2, 3, 4, 5, 6]


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--read-every", 4), ("--on-device",), ("--graph",)])
def test_the_same_run_to_the_bit(options, tmp_path, capsys):
    """Resumed in the middle, too."""
    train("ps", tmp_path / "plain", *SIX)
    train("ps", tmp_path / "other", *SIX[:3], 2, *SIX[4:], *options)
    train("ps", tmp_path / "other", *SIX, *options, "--resume")
    assert_same_run(tmp_path / "plain", tmp_path / "other")
    if "--graph" in options:
        assert "note: --graph: it needs a CUDA GPU" in capsys.readouterr().out


def test_a_loss_that_is_read_late_names_its_own_batch(tmp_path, capsys, monkeypatch):
    own, calls = DetailObjective.forward, []

    def diverged(self, *images):
        calls.append(1)
        return own(self, *images) * (float("nan") if len(calls) == 2 else 1)

    monkeypatch.setattr(DetailObjective, "forward", diverged)
    error = refused("ps", tmp_path, capsys, "--read-every", 3, "--steps", 3, "--batch", 4)
    assert "epoch 1, batch 2: found a loss of nan" in error
    assert not (tmp_path / "run/last.pth").exists()


class Fixed:
    fixed = True

    def __len__(self):
        return 7

    def sample(self, index, rng=None):
        return {"name": str(index), "gt": np.full((1, 2, 2), index, np.float32)}


@pytest.mark.parametrize("short_last", [False, True])
def test_batches_from_memory_are_those_that_are_read(short_last):
    read = Batches(Fixed(), 3, 5, short_last=short_last)
    kept = resident.resident(read, torch.device("cpu"), None)
    assert isinstance(kept, resident.ResidentBatches)
    for epoch, first in ((0, 0), (1, 1), (1, 3)):
        for one, other in zip(read.epoch(epoch, first), kept.epoch(epoch, first), strict=True):
            assert one["names"] == other["names"]
            assert torch.equal(one["gt"], other["gt"])


def test_a_set_that_does_not_fit_or_changes_is_read_with_a_note(capsys):
    batches = Batches(Fixed(), 3, 5)
    assert resident.resident(batches, torch.device("cpu"), 7 * 16) is batches
    assert "of which they may take half" in capsys.readouterr().out
    crops = Batches(type("Crops", (Fixed,), {"fixed": False})(), 3, 5)
    assert resident.resident(crops, torch.device("cpu"), None) is crops
    assert "differ from epoch to epoch" in capsys.readouterr().out


def stand_in(function):
    """Records a function like a graph, and repeats it by calling it."""
    return function


def steps(recorded, folder):
    """Seven steps, the fifth of another shape, the rate halved before the sixth; the losses and the weights."""
    torch.manual_seed(3)
    objective = DetailObjective(dcinn_ps(8, low_blocks=1)).train()
    images = [[torch.rand(2 - (i == 4), c, 16, 16) for c in (8, 1, 8)] for i in range(7)]
    objective.start({"base_image": images[0][0], "guide": images[0][1]})
    update = Update(objective, Settings(folder, torch.device("cpu"), Recipe(1e-3, 1, 2, 16), ema=0.9))
    step = Recorded(update, stand_in, lambda function: function()) if recorded else update
    losses = []
    for i, batch in enumerate(images):
        update.set_rates([1e-3 if i < 5 else 5e-4])
        losses.append(step(batch)[0])
    return torch.stack(losses), update


def test_a_recorded_step_is_the_step(tmp_path):
    """The recording takes no step by itself, other shapes are run as they are, rates are followed."""
    assert WARM_UP == 3
    plain, recorded = (steps(recorded, tmp_path) for recorded in (False, True))
    assert torch.allclose(plain[0], recorded[0], rtol=1e-5)
    for one, other in zip(plain[1].objective.parameters(), recorded[1].objective.parameters(), strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-6), "the rate is a float32 number there"
    for name, value in plain[1].average.weights.items():
        assert torch.allclose(value.float(), recorded[1].average.weights[name].float(), rtol=1e-4, atol=1e-6)
    (group,) = recorded[1].optimiser_state()["param_groups"]
    assert group["lr"] == pytest.approx(5e-4)
    assert type(group["lr"]) is float
    assert group["capturable"] is False


def test_a_recording_that_fails_is_a_note(tmp_path, capsys):
    def failing(function):
        raise RuntimeError("operation not permitted when stream is capturing\n  somewhere")

    torch.manual_seed(3)
    objective = DetailObjective(dcinn_ps(8, low_blocks=1)).train()
    update = Update(objective, Settings(tmp_path, torch.device("cpu"), Recipe(1e-3, 1, 2, 16)))
    step = Recorded(update, failing, lambda function: function())
    images = [torch.rand(1, c, 16, 16) for c in (8, 1, 8)]
    for _ in range(WARM_UP + 2):
        terms, _ = step(images)
    assert torch.isfinite(terms).all()
    assert capsys.readouterr().out.count("note: --graph: the step could not be recorded") == 1
