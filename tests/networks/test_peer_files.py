"""Files of the peers: ours, their authors', and what is neither."""

import json
from pathlib import Path

import pytest
import torch

from models import CheckpointError, dcinn_ivf, load_pretrained, save_checkpoint
from models.peers import AUIF, PEERS, CDDFuse, DeFusion, build_peer
from models.weights import files as weight_files
from models.weights.checkpoint import load_extra

SHAPES = json.loads((Path(__file__).parents[1] / "expected" / "peers_shapes.json").read_text())
CDDFUSE = ("DIDF_Encoder", "DIDF_Decoder", "BaseFuseLayer", "DetailFuseLayer")
OTHERS = {"auif": AUIF("l1"), "cddfuse": CDDFuse("sum", stretch=False), "defusion": DeFusion(0.5, ["12"], 64)}


def random(part, prefix=""):
    return {f"{prefix}{n}": torch.rand(s) if s else torch.tensor(0) for n, s in SHAPES[part].items()}


@pytest.mark.parametrize("method", PEERS)
def test_there_and_back(method, tmp_path):
    model = OTHERS[method]
    save_checkpoint(tmp_path / "w.pth", model, {"epoch": 3})
    state = torch.get_rng_state()
    found = load_pretrained(tmp_path / "w.pth", method=method)
    assert torch.equal(torch.get_rng_state(), state)
    assert type(found) is type(model)
    assert not found.training
    assert found.config == model.config
    assert all(torch.equal(a, b) for a, b in zip(found.state_dict().values(), model.state_dict().values(), strict=True))
    assert load_extra(tmp_path / "w.pth") == {"epoch": 3}
    assert type(load_pretrained(tmp_path / "w.pth", method=None)) is type(model)
    with pytest.raises(CheckpointError, match=rf"w\.pth: found a network of {method}, expected one of dcinn"):
        load_pretrained(tmp_path / "w.pth")


def test_the_authors_files_are_told_by_their_names(tmp_path):
    torch.save({part: random(part, "module.") for part in CDDFUSE}, tmp_path / "CDDFuse_IVF.pth")
    torch.save({"state_dict": random("cud", "module."), "epoch": 49}, tmp_path / "DeFusion++.pth")
    for part in ("base", "detail", "decoder"):
        name = part if part == "decoder" else f"{part}_encoder"
        torch.save(random(f"auif_{part}"), tmp_path / f"auif_{name}.pth")
    for file, kind in (
        ("CDDFuse_IVF", CDDFuse),
        ("DeFusion++", DeFusion),
        ("auif_base_encoder", AUIF),
        ("auif_detail_encoder", AUIF),
        ("auif_decoder", AUIF),
    ):
        assert type(load_pretrained(tmp_path / f"{file}.pth", method=None)) is kind
    (tmp_path / "auif_decoder.pth").unlink()
    with pytest.raises(CheckpointError, match=r"auif_decoder\.pth: found no such file"):
        load_pretrained(tmp_path / "auif_base_encoder.pth", method="auif")
    (tmp_path / "auif_base_encoder.pth").rename(tmp_path / "mine.pth")
    with pytest.raises(CheckpointError, match=r"mine\.pth: found a part of AUIF-Net, expected base_encoder"):
        load_pretrained(tmp_path / "mine.pth", method="auif")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["config"].update(method="other"), "found a network of other"),
        (lambda c: c["config"].update(rule="best"), "rule: found 'best', expected one of sum, average, l1"),
        (lambda c: c["config"].update(more=1), "unknown entries more"),
        (lambda c: c["model"].pop("conv.weight"), r"lacks conv\.weight"),
        (lambda c: c["model"].update({"conv.weight": c["model"]["conv.weight"] / 0}), r"conv\.weight: found NaN or"),
        (lambda c: c.update(model=3), "found int, expected a dictionary of tensors"),
    ],
)
def test_files_that_are_no_peer(change, words, tmp_path):
    save_checkpoint(tmp_path / "w.pth", AUIF())
    content = torch.load(tmp_path / "w.pth", weights_only=True)
    change(content)
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=words):
        load_pretrained(tmp_path / "w.pth", method="auif")


def test_foreign_content(tmp_path):
    for content in ({"DIDF_Encoder": 3}, {"DIDF_Encoder": {1: 2}}, {"state_dict": {"mask_token": torch.zeros(1)}}):
        torch.save(content, tmp_path / "w.pth")
        with pytest.raises(CheckpointError, match=r"w\.pth: found"):
            load_pretrained(tmp_path / "w.pth", method=None)
    save_checkpoint(tmp_path / "d.pth", dcinn_ivf())
    with pytest.raises(CheckpointError, match="found a network of dcinn, expected one of auif"):
        load_pretrained(tmp_path / "d.pth", method="auif")


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("auif", {"rule": "max"}),
        ("auif", {"rule": ["sum"]}),
        ("cddfuse", {"skip": "infrared"}),
        ("defusion", {"orders": []}),
        ("defusion", {"orders": 12}),
        ("defusion", {"step": 0}),
        ("defusion", {"step": "a"}),
        ("auifnet", {}),
        (["auif"], {}),
    ],
)
def test_networks_that_are_not(method, options):
    with pytest.raises(ValueError, match=r"found|expected"):
        build_peer(method, options)


def test_a_name_in_pretrained(tmp_path, monkeypatch):
    monkeypatch.setattr(weight_files, "PRETRAINED", tmp_path)
    monkeypatch.chdir(tmp_path.parent)
    (tmp_path / "peers").mkdir()
    save_checkpoint(tmp_path / "peers/auif.pth", OTHERS["auif"])
    assert load_pretrained("peers/auif", method="auif").config == OTHERS["auif"].config
    for name in ("auif", "peers/none", "others/auif", "../peers/auif"):
        with pytest.raises(CheckpointError, match="found no such file"):
            load_pretrained(name, method=None)
    with pytest.raises(CheckpointError, match=r"there: peers/auif\)"):
        load_pretrained("none")


@pytest.mark.parametrize("factor", [0.0, 1.0])
def test_the_long_skip_of_foreign_weights(factor, tmp_path, monkeypatch):
    monkeypatch.setattr(DeFusion, "window", lambda self, a, _: a if self.long_skip == factor else a + 1)
    torch.save({"state_dict": random("cud"), "epoch": 3}, tmp_path / "w.pth")
    assert load_pretrained(tmp_path / "w.pth", method="defusion").long_skip == factor


@pytest.mark.parametrize(
    ("method", "change", "words"),
    [
        ("auif", {"version": 99}, "found format version 99, expected 1"),
        ("defusion", {"long_skip": "x"}, "long_skip, latent: found 'x'"),
        ("defusion", {"long_skip": float("nan")}, "long_skip, latent: found nan"),
        ("defusion", {"step": 106.5}, "step: found 106.5"),
        ("defusion", {"latent": 1}, "long_skip, latent: found"),
        ("cddfuse", {"stretch": "abc"}, "stretch: found 'abc'"),
    ],
)
def test_configurations_that_no_network_has(method, change, words, tmp_path):
    save_checkpoint(tmp_path / "w.pth", OTHERS[method])
    content = torch.load(tmp_path / "w.pth", weights_only=True)
    (content if "version" in change else content["config"]).update(change)
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=words):
        load_pretrained(tmp_path / "w.pth", method=None)
