"""Checkpoints that were written on a GPU are read without one, and state that is read goes to the network's device."""

import pytest
import torch
from fake_cuda import CUDA, Traffic, fake_cuda
from networks_in_small import NETWORKS

from models import load_pretrained, save_checkpoint
from models.weights.files import open_weights
from utils.training.ema import Average


@pytest.fixture
def from_gpu(monkeypatch):
    """torch.save writes that its tensors lay on the first GPU."""
    monkeypatch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")


@pytest.mark.parametrize("task", NETWORKS)
def test_a_file_from_a_gpu_is_read_without_one(task, tmp_path, from_gpu):
    model = NETWORKS[task]()
    extra = {"average": model.state_dict(), "moments": [torch.ones(3)]}
    save_checkpoint(tmp_path / "last.pth", model, extra)
    with pytest.raises(RuntimeError, match="CUDA"):
        torch.load(tmp_path / "last.pth", weights_only=True)  # it does say so
    file = open_weights(tmp_path / "last.pth")
    assert file.content["extra"]["moments"][0].device.type == "cpu"
    assert {p.device.type for p in load_pretrained(file).parameters()} == {"cpu"}


def test_weights_in_memory_go_to_the_device_that_is_asked_for():
    model = NETWORKS["hmf"]()
    state = model.state_dict()
    with fake_cuda():
        arrived = model.to(CUDA)
        arrived.load_state_dict(state)  # from the CPU
        average = Average(0.9)
        average.load(state, CUDA)
        with Traffic() as traffic:
            average.update(arrived)
            with average.inside(arrived):
                pass
        assert {w.device.type for w in (*average.weights.values(), *arrived.state_dict().values())} == {"cuda"}
    assert not traffic.reads
    assert not traffic.uploads
