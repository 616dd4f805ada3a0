"""What a command starts with: nothing that is slow to import and not needed yet."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from data.simulate import spectral_response
from models import DCINN, dcinn_hmf, dcinn_ivf, dcinn_ps
from models.peers import PEERS, build_peer
from models.peers.mae_teachers import Teacher
from models.weights.skeleton import shapes

ROOT = Path(__file__).resolve().parents[2]
SLOW = (
    *("matplotlib", "onnx", "onnxruntime", "sympy", "tensorboard", "torchvision", "triton"),
    *("scipy.fft", "scipy.interpolate", "scipy.io", "scipy.linalg", "scipy.ndimage", "scipy.optimize", "scipy.signal"),
    *("scipy.sparse", "scipy.spatial", "scipy.special", "scipy.stats"),
    *("skimage.data", "skimage.metrics", "torch._dynamo", "torch._inductor", "torch.onnx", "torch.utils.tensorboard"),
)
SCRIPTS = sorted(p.name for p in ROOT.glob("t*_*.py"))
MODULES = ["data hmf", "metrics", "utils.export"]
COMMANDS = """
import contextlib, io, json, runpy, sys
import torch
found = {}
def seen(name):
    found[name] = [module for module in SLOW if module in sys.modules and module not in given]
SLOW = json.loads(sys.argv[1])
given = [module for module in SLOW if module in sys.modules]  # by PyTorch itself
scripts, modules = json.loads(sys.argv[2]), json.loads(sys.argv[3])
for name in (*scripts, *modules):
    sys.argv = [*name.split(), "--help"]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        if name in scripts:
            sys.path.insert(0, ".")
            runpy.run_path(name, run_name="__main__")
        else:
            runpy.run_module(name.split()[0], run_name="__main__", alter_sys=True)
    seen(name)
from models import load_pretrained
for name in ("ivf_rs", "peers/auif", "peers/cddfuse", "peers/defusion"):
    model = load_pretrained(name, method=None)
    if name == "ivf_rs":
        with torch.inference_mode():
            model(torch.rand(1, 1, 16, 24), torch.rand(1, 1, 16, 24))
    seen(name)
print(json.dumps(found))
"""


def test_commands_and_networks_start_without_what_is_slow():
    given = [json.dumps(names) for names in (SLOW, SCRIPTS, MODULES)]
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, *given], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(SCRIPTS) | set(MODULES) < set(found)
    assert len(SCRIPTS) == 10
    assert {name: modules for name, modules in found.items() if modules} == {}


BUILDS = {
    "ps": lambda: dcinn_ps(4),
    "hmf": lambda: dcinn_hmf(srf=spectral_response()),
    "ivf": dcinn_ivf,
    **{f"without {part}": lambda part=part: dcinn_ivf(without=part) for part in ("anet", "detail", "cinn")},
    **{method: lambda method=method: build_peer(method, {}) for method in PEERS},
    "second stage": lambda: build_peer("defusion", {"latent": True}),
    "teacher": Teacher,
}


@pytest.mark.parametrize("name", BUILDS)
def test_shapes_are_those_of_the_network(name):
    random = torch.get_rng_state()
    found = shapes(BUILDS[name])
    assert torch.equal(torch.get_rng_state(), random)
    assert found == {entry: value.shape for entry, value in BUILDS[name]().state_dict().items()}


def test_shapes_take_no_memory():
    """Of a network that a file claims to hold: 1024 bands are 4096 channels, whose kernels alone are 1.7 GB each."""
    network = dcinn_ps(4).config
    found = shapes(lambda: DCINN(type(network)("ps", bands=1024, low_blocks=64)))
    assert sum(shape.numel() for shape in found.values()) > 10**10
