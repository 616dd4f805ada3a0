"""Two processes on one batch against one process with the same batch: gradients, losses, weights (gloo, CPU)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from models import load_pretrained
from models.weights.checkpoint import load_extra

ROOT = Path(__file__).resolve().parents[2]
SMALL = {
    "ps": ("--patch", "32", "--batch", "4", "--steps", "2"),
    "hmf": ("--patch", "32", "--batch", "2", "--stride", "224", "--steps", "2"),
    "ivf_tno": ("--patch", "48", "--batch", "2", "--steps", "2"),
}
GRADIENTS = """
import sys
import torch
from utils import distributed
from utils.training.loader import Batches
from utils.training.objectives import start_actnorm

name, out = sys.argv[1], sys.argv[2]
script = __import__(f"train_dcinn_{name}")
caught = {}
script.run = lambda name, args, recipe, prepare: caught.update(recipe=recipe, task=prepare())
script.main(sys.argv[3:])
with distributed.processes(torch.device("cpu")):
    task, recipe = caught["task"], caught["recipe"]
    torch.manual_seed(0)
    model = task.build().double()  # in float32 the signs of L1 terms flip with the rounding
    for parameter in model.parameters():
        parameter.data += 0.01 * torch.randn_like(parameter, dtype=torch.float32)
    batches = Batches(task.source, recipe.batch, 0)
    first = batches.first_batch()
    start_actnorm(model, first["base_image"].double(), first["guide"].double())
    objective = task.objective(model).double()
    step = objective
    if distributed.world() > 1:
        step = torch.nn.parallel.DistributedDataParallel(objective)
    batch = next(iter(batches.epoch(0)))
    terms = step(*(batch[k].double() for k in ("base_image", "guide", "gt") if k in batch))
    terms[0].backward()
    shown = distributed.mean(terms)
    if distributed.rank() == 0:
        torch.save({"terms": shown, "grad": {k: p.grad for k, p in objective.named_parameters()}}, out)
"""


def start(arguments, processes):
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"] if processes > 1 else []
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "CI": "true"}
    command = [sys.executable, *launcher, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_gradients_of_two_processes_are_those_of_one(name, tmp_path):
    (tmp_path / "gradients.py").write_text(GRADIENTS)
    found = []
    for processes in (1, 2):
        out = tmp_path / f"{processes}.pt"
        done = start([tmp_path / "gradients.py", name, out, *SMALL[name]], processes)
        assert done.returncode == 0, done.stderr
        found.append(torch.load(out, weights_only=True))
    one, two = found
    assert two["terms"].tolist() == pytest.approx(one["terms"].tolist(), rel=1e-5, abs=1e-7)
    largest = max(gradient.abs().max() for gradient in one["grad"].values())
    assert largest > 0
    for key, gradient in one["grad"].items():
        assert (two["grad"][key] - gradient).abs().max() <= 1e-5 * max(gradient.abs().max(), 1e-3 * largest), key


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ps", "ivf_tno"])
def test_torchrun_trains_and_one_process_writes(name, tmp_path):
    outs = []
    for processes in (1, 2):
        out = tmp_path / str(processes)
        parts = ["--at-once", 1] if processes == 2 else []
        script = [f"train_dcinn_{name}.py", *SMALL[name], "--epochs", "1", "--output", out]
        done = start([*script, *parts], processes)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("results in") == 1
        outs.append(out)
    one, two = (load_pretrained(out / "last.pth").state_dict() for out in outs)
    assert all(torch.allclose(a, b, atol=2e-5) for a, b in zip(one.values(), two.values(), strict=True))
    assert [load_extra(out / "last.pth")["training"]["total"] for out in outs] == [2, 2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "options"), [("cddfuse", ("--patch", "32", "--first-stage", "1")), ("defusion", ())]
)
def test_peers_whose_parameters_are_not_all_used_in_every_step(method, options, tmp_path):
    common = ["--batch", "2", "--steps", "2", "--eval-every", "9", "--output", tmp_path / "o"]
    done = start(["train_peers.py", method, *options, *common], 2)
    assert done.returncode == 0, done.stderr
    assert load_extra(tmp_path / "o/last.pth")["training"]["total"] == 2


@pytest.mark.slow
def test_a_batch_that_cannot_be_shared(tmp_path):
    done = start(["train_dcinn_ivf_tno.py", "--patch", "48", "--batch", "3", "--output", tmp_path / "o"], 2)
    assert done.returncode != 0
    assert (
        "--batch: found a batch of 3 (4 samples) and 2 processes, expected a batch that they share evenly"
        in done.stderr
    )
    assert not (tmp_path / "o").exists()


SIGNAL_TO_ONE = """
import os, signal, sys
import torch
from utils import distributed
from utils.training.engine import Trainer

import train_dcinn_ivf_tno

original = Trainer._validated

def validated(self):
    if distributed.rank() == 0 and self.epoch == 1:  # as the scheduler of a cluster would, to one process of two
        os.kill(os.getpid(), signal.SIGTERM)
    return original(self)

Trainer._validated = validated
train_dcinn_ivf_tno.main(sys.argv[1:])
"""


@pytest.mark.slow
def test_a_signal_to_one_process_stops_both_and_the_run_goes_on(tmp_path):
    (tmp_path / "one.py").write_text(SIGNAL_TO_ONE)
    options = ("--patch", "48", "--batch", "2", "--epochs", "3", "--output", tmp_path / "o")
    done = start([tmp_path / "one.py", *options], 2)
    assert done.returncode == 0, done.stderr
    state = load_extra(tmp_path / "o/last.pth")["training"]
    assert (state["epoch"], state["step"]) == (1, 0)
    assert "; 0 bad samples" in done.stdout
