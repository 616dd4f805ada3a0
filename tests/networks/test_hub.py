"""torch.hub finds every network, with and without weights, beside any other project."""

import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

import hubconf
from models import load_pretrained, save_checkpoint
from models.weights.files import PRETRAINED

ROOT = str(Path(__file__).resolve().parents[2])
NAMES = ("dcinn_ps", "dcinn_hmf", "dcinn_ivf_rs", "dcinn_ivf_tno", "dcinn_ivf_tuned")


def load(name, **options):
    return torch.hub.load(ROOT, name, source="local", **options)


def test_the_list_is_complete():
    listed = [name for name, value in vars(hubconf).items() if callable(value) and not name.startswith("_")]
    assert sorted(listed) == sorted(NAMES), "as torch.hub.list sees it"


def test_random_networks_and_their_options():
    assert load("dcinn_ps", bands=4).config.bands == 4
    assert load("dcinn_ivf_rs").config.base_rule == "mean"
    assert load("dcinn_ivf_tno", detail_rule="mean").config.detail_rule == "mean"
    assert load("dcinn_hmf").training


@pytest.mark.parametrize("name", NAMES)
def test_pretrained_networks_are_those_of_the_shelf(name):
    file = PRETRAINED / f"{name.removeprefix('dcinn_')}.pth"
    model = load(name, pretrained=True)
    assert not model.training
    kept = torch.load(file, weights_only=True)["model"]
    assert model.state_dict().keys() == kept.keys()
    assert all(torch.equal(value, kept[key]) for key, value in model.state_dict().items())


def test_every_load_gives_the_same_classes_under_the_installed_name():
    first, second = load("dcinn_ps", bands=4), load("dcinn_ps", bands=8)
    assert type(first) is type(second)
    assert type(first).__module__ == "dcinn.dcinn"
    assert type(pickle.loads(pickle.dumps(first))) is type(first)


def test_a_network_of_the_hub_is_saved_by_the_checkout(tmp_path):
    save_checkpoint(tmp_path / "hub.pth", load("dcinn_ps", bands=4))
    assert load_pretrained(tmp_path / "hub.pth", task="ps").config.bands == 4
    with pytest.raises(ValueError, match="found Linear, expected a network of this project"):
        save_checkpoint(tmp_path / "no.pth", torch.nn.Linear(2, 2))


@pytest.fixture
def other_project(tmp_path):
    """A hub project with packages of the names that this one's folders have."""
    project = tmp_path / "other"
    for package in ("models", "data", "metrics"):
        (project / package).mkdir(parents=True)
        (project / package / "__init__.py").write_text(f"WHOSE = 'theirs: {package}'\n")
    (project / "utils.py").write_text("WHOSE = 'theirs: utils'\n")
    imports = "".join(f"import {name}\n" for name in ("models", "data", "metrics", "utils"))
    entry = "def net(pretrained=False):\n    return [m.WHOSE for m in (models, data, metrics, utils)]\n"
    (project / "hubconf.py").write_text(f"dependencies = []\n{imports}{entry}")
    return project


OURS = """
    model = torch.hub.load({root!r}, "dcinn_ivf_tno", source="local", pretrained=True)
    image = torch.rand(1, 1, 20, 30)
    with torch.inference_mode():
        assert model(image, image).shape == image.shape
    from dcinn.metrics import en  # as where it is installed
    assert en(numpy.zeros((4, 4))) == 0
"""
THEIRS = """
    found = torch.hub.load({other!r}, "net", source="local")
    assert found == ["theirs: " + name for name in ("models", "data", "metrics", "utils")], found
"""


@pytest.mark.parametrize("order", ["ours, theirs", "theirs, ours"])
def test_beside_another_project_of_the_same_folder_names(order, other_project, tmp_path):
    parts = {"ours": OURS.format(root=ROOT), "theirs": THEIRS.format(other=str(other_project))}
    code = "import numpy, torch\n" + "".join(textwrap.dedent(parts[name]) for name in order.split(", "))
    code += 'import models\nassert models.WHOSE == "theirs: models"\n'
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_another_package_called_dcinn_keeps_its_name(tmp_path):
    (tmp_path / "dcinn.py").write_text("WHOSE = 'another'\n")
    code = f"""
        import dcinn, torch
        model = torch.hub.load({ROOT!r}, "dcinn_ps", source="local", bands=4)
        again = torch.hub.load({ROOT!r}, "dcinn_ps", source="local", bands=4)
        assert type(model) is type(again)
        import sys
        assert sys.modules["dcinn"].WHOSE == "another"
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
