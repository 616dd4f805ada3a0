"""Our files, the authors' files, and files that are neither."""

import pickle

import pytest
import torch

from data.simulate import spectral_response
from models import CheckpointError, dcinn_ivf, dcinn_ps, export_released, load_pretrained, save_checkpoint
from models.weights.author_names import to_released
from models.weights.checkpoint import load_extra

GIVEN = {"ps": {}, "hmf": {"srf": spectral_response()}, "ivf": {"base_rule": "max"}}


def same(a, b):
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


@pytest.mark.parametrize("kind", ["ps", "hmf", "ivf"])
def test_our_file_rebuilds_the_network_alone(kind, golden_model, golden_sources, tmp_path):
    model, sources = golden_model(kind), golden_sources(kind)
    save_checkpoint(tmp_path / "m.pth", model, {"epoch": 3})
    loaded = load_pretrained(tmp_path / "m.pth")
    assert same(model, loaded)
    assert loaded.config == model.config
    assert not loaded.training
    with torch.no_grad():
        assert torch.equal(model(*sources), loaded(*sources))
    assert load_extra(tmp_path / "m.pth") == {"epoch": 3}
    assert [p.name for p in tmp_path.iterdir()] == ["m.pth"], "a temporary file was left"


@pytest.mark.parametrize("kind", ["ps", "hmf", "ivf"])
def test_the_authors_names_and_shapes_both_ways(kind, golden_model, released_shapes, tmp_path):
    model = golden_model(kind)
    exported = to_released(model)
    assert {n: list(v.shape) for n, v in exported.items()} == released_shapes[kind]
    export_released(tmp_path / "theirs.pth", model)
    content = torch.load(tmp_path / "theirs.pth", weights_only=True)
    assert (set(content) == {"f_model_state_dict"}) == (kind != "ivf"), "their container"
    assert same(model, load_pretrained(tmp_path / "theirs.pth", task=kind, **GIVEN[kind]))
    torch.save(exported, tmp_path / "bare.pth")
    assert same(model, load_pretrained(tmp_path / "bare.pth", **GIVEN[kind]))


def test_the_authors_own_file_survives_the_round_trip(shared, tmp_path):
    file = shared("weights/released_pansharpening_wv3.pth")
    export_released(tmp_path / "back.pth", load_pretrained(file))
    theirs, back = (
        torch.load(f, weights_only=True, map_location="cpu")["f_model_state_dict"]
        for f in (file, tmp_path / "back.pth")
    )
    assert theirs.keys() == back.keys()
    assert all(torch.equal(theirs[k], back[k]) and theirs[k].dtype == back[k].dtype for k in theirs)


def test_other_sizes_are_read_off_the_authors_names(tmp_path):
    export_released(tmp_path / "four.pth", dcinn_ps(4, low_blocks=4))
    config = load_pretrained(tmp_path / "four.pth").config
    assert (config.task, config.bands, config.low_blocks) == ("ps", 4, 4)


def test_loading_leaves_the_random_numbers_alone(tmp_path):
    save_checkpoint(tmp_path / "m.pth", dcinn_ps(2))
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_pretrained(tmp_path / "m.pth")
    assert torch.equal(torch.rand(3), expected)


def test_exact_is_kept_and_overridden(tmp_path):
    model = dcinn_ps(2)
    model.exact = True
    save_checkpoint(tmp_path / "m.pth", model)
    assert load_pretrained(tmp_path / "m.pth").exact
    assert not load_pretrained(tmp_path / "m.pth", exact=False).exact


def test_a_base_rule_replaces_that_of_our_file(tmp_path):
    save_checkpoint(tmp_path / "m.pth", dcinn_ivf("max"))
    assert load_pretrained(tmp_path / "m.pth", base_rule="mean").config.base_rule == "mean"


def test_a_failed_write_leaves_the_old_file(tmp_path):
    save_checkpoint(tmp_path / "m.pth", dcinn_ps(2))
    before = (tmp_path / "m.pth").read_bytes()
    with pytest.raises(Exception, match=r"pickle|local"):
        save_checkpoint(tmp_path / "m.pth", dcinn_ps(2), {"bad": lambda: None})
    assert (tmp_path / "m.pth").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


class Harmful:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (str(self.mark), "w")


def foreign(tmp_path, change):
    """A file with the state of a small network under the authors' names, changed."""
    state = to_released(dcinn_ps(2))
    state = change(state) or state
    torch.save(state, tmp_path / "foreign.pth")
    return tmp_path / "foreign.pth"


def test_code_in_a_file_does_not_run(tmp_path):
    torch.save({"f_model_state_dict": Harmful(tmp_path / "ran")}, tmp_path / "bad.pth")
    with pytest.raises(CheckpointError, match=r"bad\.pth"):
        load_pretrained(tmp_path / "bad.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Harmful(tmp_path / "ran")))
    with pytest.raises(CheckpointError, match=r"plain\.pth"):
        load_pretrained(tmp_path / "plain.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("inv_in.clamp_s") and None, "lacks inv_in.clamp_s"),
        (lambda s: s.update(more=torch.zeros(1)), "has more"),
        (lambda s: s.update({"inv_in.F.conv1.1.bias": torch.zeros(17)}), r"inv_in.F.conv1.1.bias \(17,\) for \(16,\)"),
        (lambda s: s.update({"inv_in.kernel1": torch.full((2, 2, 5, 5), torch.nan)}), "kernel: found NaN"),
        (lambda s: s.update({"har_in.haar_weights": torch.ones(8, 1, 2, 2)}), "other than the Haar signs"),
        (lambda s: {"conv.weight": torch.zeros(3)}, "expected the names of a DCINN checkpoint"),
        (lambda s: {"a": 1}, "expected names with tensors"),
        (lambda s: [1, 2], "expected a dictionary"),
        (lambda s: {"format": "dcinn", "version": 9}, "format version 9"),
        (lambda s: {"format": "dcinn", "version": 1, "config": {"task": "sr"}}, "expected one of ps, hmf, ivf"),
        (lambda s: {"format": "dcinn", "version": 1, "config": {"task": "ps", "bands": 10**9}}, "integer from 2"),
        (lambda s: {"format": "dcinn", "version": 1, "config": {"task": "ps", "more": 1}}, "unknown entries more"),
    ],
)
def test_foreign_files_are_named_and_explained(change, message, tmp_path):
    file = foreign(tmp_path, change)
    with pytest.raises(CheckpointError, match=message) as error:
        load_pretrained(file)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("keep", [0, 10, 1000, 0.5, 0.999])
def test_truncated_files(keep, tmp_path):
    save_checkpoint(tmp_path / "m.pth", dcinn_ps(2))
    whole = (tmp_path / "m.pth").read_bytes()
    (tmp_path / "m.pth").write_bytes(whole[: keep if isinstance(keep, int) else int(keep * len(whole))])
    with pytest.raises(CheckpointError, match="no readable checkpoint"):
        load_pretrained(tmp_path / "m.pth")


def test_what_must_be_given_is_asked_for(golden_model, tmp_path):
    for kind, word in (("hmf", "give srf"), ("ivf", "give base_rule")):
        export_released(tmp_path / "theirs.pth", golden_model(kind))
        with pytest.raises(CheckpointError, match=word):
            load_pretrained(tmp_path / "theirs.pth")
    with pytest.raises(CheckpointError, match="expected one for ps"):
        load_pretrained(tmp_path / "theirs.pth", task="ps", base_rule="max")
    with pytest.raises(CheckpointError, match="a name in pretrained"):
        load_pretrained("no_such_name")
