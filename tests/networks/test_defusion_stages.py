"""DeFusion++'s second stage: teachers from their files, its loss, its training, and what can be loaded afterwards."""

import json

import pytest
import torch
from outputs import pairs
from torch.nn import functional

import train_peers
from models import CheckpointError, load_pretrained, save_checkpoint
from models.peers import DeFusion, mae_teachers
from models.peers.mae_teachers import Teacher
from models.weights.peer_files import load_teacher
from utils.training.peers.objectives import LatentObjective, ViewsObjective


@pytest.fixture(autouse=True)
def small_teachers(monkeypatch):
    monkeypatch.setattr(mae_teachers, "DEPTH", 1)


def mae(folder, name, **more):
    """A file as MAE's authors publish them."""
    torch.manual_seed(len(name))
    state = {n.removeprefix("encoder."): v for n, v in Teacher().state_dict().items()}
    state["pos_embed"] = state.pop("positions")
    for kind in ("weight", "bias"):
        state[f"patch_embed.proj.{kind}"] = state.pop(f"patch_embed.{kind}")
    torch.save({"model": {**state, **more}}, folder / name)
    return folder / name


def test_a_teacher_from_its_file(tmp_path):
    decoder = {"mask_token": torch.zeros(1, 1, 512), "decoder_pos_embed": torch.zeros(1, 197, 512)}
    plain, full = mae(tmp_path, "a.pth"), mae(tmp_path, "b.pth", **decoder, **{"decoder_norm.weight": torch.ones(512)})
    image = torch.rand(2, 3, 224, 224)
    assert torch.equal(load_teacher(plain)(image), load_teacher(full)(image))
    tokens = load_teacher(plain)(image)
    assert tokens.shape == (2, 197, 768)
    assert torch.allclose(tokens.mean(-1), torch.zeros(2, 197), atol=1e-5), "the last norm"
    assert not any(p.requires_grad for p in load_teacher(plain).parameters())


@pytest.mark.parametrize("content", [{"model": {"norm.weight": torch.ones(768)}}, {"model": 3}, [1], {}])
def test_other_files(content, tmp_path):
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"a\.pth: found"):
        load_teacher(tmp_path / "a.pth")


def test_its_loss_is_the_first_ones_and_the_distances_of_the_tokens():
    torch.manual_seed(0)
    model, two = DeFusion(latent=True).eval(), (Teacher(), Teacher())
    views = [torch.rand(1, 3, 224, 224), torch.rand(1, 3, 224, 224), *torch.ones(2, 1, 1, 224, 224)]
    image, infrared, visible = torch.rand(3, 1, 3, 224, 224)
    objective = LatentObjective(model, two).eval()
    with torch.no_grad():
        torch.manual_seed(1)
        terms = dict(zip(objective.names, objective(*views, image, infrared, visible), strict=True))
        torch.manual_seed(1)
        first = dict(zip(ViewsObjective.names, ViewsObjective(model).eval()(*views, image), strict=True))
        latents, common = model.latents(infrared, visible)
    distances = [functional.l1_loss(t(x), y) for t, x, y in zip(two, (infrared, visible), latents, strict=True)]
    expected = {"infrared": distances[0], "visible": distances[1], "alike": functional.l1_loss(*common)}
    for name, value in expected.items():
        assert terms[name] == pytest.approx(float(value), rel=1e-5)
    assert terms["loss"] == pytest.approx(float(first["loss"] + sum(expected.values())), rel=1e-5)
    assert {n: float(terms[n]) for n in first if n != "loss"} == pytest.approx(
        {n: float(v) for n, v in first.items() if n != "loss"}
    )
    assert not any("teachers" in name for name in objective.state_dict())


def train(*options):
    return train_peers.main(["defusion", *map(str, options)])


@pytest.mark.slow
def test_from_the_first_stage_to_weights_that_fuse(tmp_path):
    torch.manual_seed(0)
    first = DeFusion()
    save_checkpoint(tmp_path / "first.pth", first)
    pairs(tmp_path / "set", "a", "b", "c")
    files = mae(tmp_path, "infrared.pth"), mae(tmp_path, "visible.pth")
    options = ("--teachers", *files, "--pairs", tmp_path / "set", "--batch", 1, "--output", tmp_path / "run")
    train(*options, "--weights", tmp_path / "first.pth", "--steps", 1)
    run = json.loads((tmp_path / "run/run.json").read_text())
    assert (run["settings"]["lr"], run["epochs"], run["settings"]["milestones"]) == (1e-4, 200, [80, 160, 180, 190])
    assert "pairs of" in run["data"]
    assert run["parameters"] == 13_420_800 + 297_216
    train(*options, "--resume", "--steps", 2)
    model = load_pretrained(tmp_path / "run/last.pth", method="defusion")
    assert model.latent
    start = first.state_dict()
    assert all(torch.allclose(v, start[n], atol=1e-3) for n, v in model.state_dict().items() if n in start)
    assert not torch.equal(model.common_head.linear.weight, start["common_head.linear.weight"])
    with torch.no_grad():
        assert model(torch.rand(1, 1, 32, 40), torch.rand(1, 1, 32, 40)).shape == (1, 1, 32, 40)


def test_pairs_without_teachers(capsys):
    with pytest.raises(SystemExit) as stop:
        train("--pairs", "somewhere")
    assert stop.value.code == 2
    assert "--pairs: found without --teachers, expected with them" in capsys.readouterr().err
