"""Weights as trainers save them: names and dictionaries around them, numbers of NumPy beside them."""

import argparse
import json
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

from models import CheckpointError, dcinn_ps, load_pretrained, save_checkpoint
from models.peers import AUIF
from models.weights.author_names import to_released

STATE = to_released(dcinn_ps(2))
SHAPES = json.loads((Path(__file__).parents[1] / "expected" / "peers_shapes.json").read_text())


def named(change):
    return {change(name): value for name, value in STATE.items()}


def inside(name):
    """As after torch.compile of one part."""
    return name.replace("c_net.", "c_net._orig_mod.module.")


WRAPPED = {
    "DataParallel": named("module.{}".format),
    "compiled": named("_orig_mod.{}".format),
    "both": named("module._orig_mod.{}".format),
    "both, the other way": named("_orig_mod.module.{}".format),
    "a part": named(inside),
    "state_dict": {"state_dict": STATE, "epoch": 3, "arch": "dcinn"},
    "model and an optimizer": {"model": STATE, "optimizer": {"state": {}, "param_groups": [{"lr": 1e-3}]}},
    "params": {"params": OrderedDict(STATE)},
    "model_state_dict": {"epoch": 1, "model_state_dict": STATE, "loss": torch.tensor(0.5)},
    "two deep": {"state_dict": {"model": named("module.{}".format)}},
    "the authors', compiled": {"f_model_state_dict": named("_orig_mod.{}".format)},
    "a best value": {"f_model_state_dict": STATE, "best": np.float64(0.9), "n": np.int64(3), "ok": np.bool_(True)},
    "other values of NumPy": {"state_dict": STATE, "who": np.str_("x"), "curve": np.arange(5.0), "o": np.array(["x"])},
}


@pytest.mark.parametrize("how", WRAPPED)
def test_the_same_network(how, tmp_path):
    torch.save(WRAPPED[how], tmp_path / "w.pth")
    found = to_released(load_pretrained(tmp_path / "w.pth", task="ps"))
    assert found.keys() == STATE.keys()
    assert all(torch.equal(found[name], value) for name, value in STATE.items())


@pytest.mark.parametrize("order", "CF")
def test_weights_that_are_arrays_of_numpy(order, tmp_path):
    arrays = {name: np.array(value.numpy(), order=order) for name, value in STATE.items()}
    swapped = {name: a.astype(">f4") if a.dtype == np.float32 else a for name, a in arrays.items()}
    for state in (arrays, swapped):
        torch.save({"state_dict": state}, tmp_path / "w.pth")
        found = to_released(load_pretrained(tmp_path / "w.pth"))
        assert all(torch.equal(found[name], value) for name, value in STATE.items())


def test_numpys_own_types_are_not_made(tmp_path):
    """A type that somebody made up would have NumPy take numbers for addresses."""

    class Crafted:
        def __reduce__(self):
            return np.dtype, ("V8", False, True), (3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0)

    class Array:
        def __reduce__(self):
            return np._core.multiarray._reconstruct, (np.ndarray, (0,), b"b"), (1, (1,), Crafted(), False, b"A" * 8)

    torch.save({"state_dict": {**STATE, "more": Array()}}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match="found 'more': StandInArray, expected names with tensors"):
        load_pretrained(tmp_path / "w.pth")
    torch.save({"state_dict": STATE, "best": Array()}, tmp_path / "w.pth")
    assert load_pretrained(tmp_path / "w.pth").config.bands == 2


def test_our_own_file_of_a_wrapped_network(tmp_path):
    model = dcinn_ps(2)
    save_checkpoint(tmp_path / "w.pth", model)
    content = torch.load(tmp_path / "w.pth", weights_only=True)
    content["model"] = {f"module.{name}": value for name, value in content["model"].items()}
    torch.save(content, tmp_path / "w.pth")
    found = load_pretrained(tmp_path / "w.pth").state_dict()
    assert all(torch.equal(found[name], value) for name, value in model.state_dict().items())


def test_the_peers(tmp_path):
    for part in ("base", "detail", "decoder"):
        state = {f"module.{n}": torch.rand(s) if s else torch.tensor(0) for n, s in SHAPES[f"auif_{part}"].items()}
        name = part if part == "decoder" else f"{part}_encoder"
        torch.save({"model": state, "best": np.float64(1)}, tmp_path / f"auif_{name}.pth")
    assert type(load_pretrained(tmp_path / "auif_decoder.pth", method="auif")) is AUIF


def refusal(content, path):
    torch.save(content, path)
    with pytest.raises(CheckpointError) as error:
        load_pretrained(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_not_safe_or_not_clear_names_the_remedy(tmp_path):
    path = tmp_path / "w.pth"
    options = refusal({"state_dict": STATE, "args": argparse.Namespace(lr=1)}, path)
    assert "(it holds objects other than weights (argparse.Namespace), which are not loaded)" in options
    assert "torch.save(model.state_dict(), FILE)" in options
    assert "torch.save(model.state_dict(), FILE)" in refusal(dcinn_ps(2), path)
    assert "found params and params_ema, expected one of them" in refusal({"params": STATE, "params_ema": STATE}, path)
    name = next(iter(STATE))
    assert f"found module.{name} and {name}" in refusal({**STATE, f"module.{name}": STATE[name]}, path)
    assert "models.save_checkpoint(FILE, model)" in refusal(dcinn_ps(2).state_dict(), path)


def test_code_beside_numpy_does_not_run(tmp_path):
    class Harmful:
        def __reduce__(self):
            return open, (str(tmp_path / "ran"), "w")

    path = tmp_path / "w.pth"
    assert "objects other than weights" in refusal({"state_dict": STATE, "best": [np.float64(1), Harmful()]}, path)
    path.write_bytes(pickle.dumps({"a": np.float64(1), "b": Harmful()}, protocol=2))
    with pytest.raises(CheckpointError):
        load_pretrained(path)
    assert not (tmp_path / "ran").exists()
    with pytest.raises(pickle.UnpicklingError):  # PyTorch's own list is as it was
        torch.save({"best": np.float64(1)}, path) or torch.load(path, weights_only=True)
