"""torch.hub finds every network, with and without weights."""

from pathlib import Path

import pytest
import torch

import hubconf
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
