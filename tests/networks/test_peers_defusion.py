"""DeFusion++ gives what its authors' code gave: tokens, images, latents, views, losses, gradients."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_inputs import image, weight
from torch.nn import functional

from data.patches import masked_views as views_module
from models import load_pretrained
from models.peers import DeFusion
from models.peers.defusion import starts
from models.peers.padding import mirrored
from models.peers.vit import sine_positions
from models.weights.peer_author_names import from_authors, our_name
from models.weights.peer_files import load_teacher
from utils.training.peers.losses import defusion_terms

EXPECTED = Path(__file__).parents[1] / "expected"
SHAPES = json.loads((EXPECTED / "peers_shapes.json").read_text())
SIDE = 224


def filled(name, shape, prefix=""):
    value = weight(prefix + name, shape)
    if name.endswith("pos_embed"):
        return sine_positions(14, shape[-1])[None].numpy()
    if len(shape) == 2:
        return value * 28 / np.sqrt(shape[1])
    return 1 + value if len(shape) == 1 and name.endswith(".weight") else value


def state(part, prefix=""):
    return {name: torch.from_numpy(np.asarray(filled(name, shape, prefix))) for name, shape in SHAPES[part].items()}


@pytest.fixture(scope="module")
def answers():
    return dict(np.load(EXPECTED / "peers_defusion.npz"))


@pytest.fixture(scope="module")
def model():
    made = DeFusion()
    made.load_state_dict(from_authors("defusion", {"state_dict": state("cud"), "epoch": 3}))
    return made.eval()


def tensor(name, shape=(1, 3, SIDE, SIDE)):
    return torch.from_numpy(image(name, shape))


@pytest.fixture(scope="module")
def pair():
    return tensor("dfpp.a"), tensor("dfpp.b")


@pytest.fixture(scope="module")
def noise():
    return tensor("dfpp.noise", (1, 14, 14)).flatten(1)


def near(found, expected, tolerance=1e-4):
    found = found.detach().double().numpy()
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance * np.abs(expected).max()


def thin(tokens):
    return tokens[:, ::14, ::4]


def test_parameters():
    model = DeFusion()
    assert sum(p.numel() for p in model.parameters()) == 13_420_800
    assert sum(v.numel() for v in model.state_dict().values()) == 13_496_448
    assert sum(v.numel() for n, v in model.state_dict().items() if not n.startswith("masked.")) == 12_420_096


def test_fixed_positions(answers):
    near(sine_positions(14, 192)[None][:, ::7, ::3], answers["pos.n14"], 1e-6)


@torch.no_grad()
def test_tokens(model, pair, answers):
    a, b = pair
    levels = model.encoder(a)
    for level in (0, 1, 11, 12):
        near(thin(levels[level]), answers[f"tok.E1_{level}"])
    encoded = model.encoded(a), model.encoded(b)
    near(thin(encoded[0][1]), answers["tok.R1"])
    common, unique = model.common_tokens(*encoded, "12"), model.unique_tokens(*encoded)
    for name, tokens in (("C12", common[0]), ("Cr12", common[1]), ("U1", unique[0][0]), ("U1r", unique[0][1])):
        near(thin(tokens), answers[f"tok.{name}"])
    near(thin(model.fused_tokens(common, *unique)), answers["tok.F12"])


@torch.no_grad()
@pytest.mark.parametrize("order", ["12", "21"])
def test_images(order, model, pair, noise, answers):
    parts = model.parts(*pair, order, noise)
    for name in ("common", "fused", "rec", "unique1", "unique2"):
        key = f"cud.{name}" if name.startswith("unique") else f"cud.{name}_{order}"
        near(parts[name][..., ::5, ::5], answers[key])
    named = [parts[name] for name in ("common", "unique1", "unique2", "fused", "rec")]
    moments = torch.stack([torch.stack((p.mean(), p.std(correction=0))) for p in named])
    near(moments, answers[f"cud.moments_{order}"])


@torch.no_grad()
def test_a_window_is_the_mean_of_both_orders(model, pair):
    both = [model.parts(*pair, order)["fused"] for order in ("12", "21")]
    assert torch.allclose(model.window(*pair), sum(both) / 2, atol=1e-5)


@pytest.mark.slow
@torch.no_grad()
def test_the_second_stage(pair, answers, tmp_path):
    frozen = {f"model_encoder1.{n}": v for n, v in state("teacher", "model_encoder1.").items()}
    torch.save({"state_dict": state("cud") | state("mcud_extra") | frozen, "epoch": 3}, tmp_path / "DeFusion++.pth")
    model = load_pretrained(tmp_path / "DeFusion++.pth", method="defusion")
    model.long_skip = 0.0
    for order in ("12", "21"):
        near(model.parts(*pair, order)["fused"][..., ::5, ::5], answers[f"mcud.fused_{order}"])
    latents, common = model.latents(*pair)
    for order, tokens in zip(("12", "21"), common, strict=True):
        near(thin(tokens), answers[f"mcud.common_{order}"])
    goals = []
    for number, (picture, latent) in enumerate(zip(pair, latents, strict=True), 1):
        near(latent[:, ::28, ::8], answers[f"mcud.latent{number}"])
        torch.save({"model": state("teacher", f"model_encoder{number}.")}, tmp_path / "mae.pth")
        goals.append(load_teacher(tmp_path / "mae.pth")(picture))
        near(goals[-1][:, ::28, ::8], answers[f"mcud.teacher{number}"])
    terms = [functional.l1_loss(x, y) for x, y in (*zip(goals, latents, strict=True), common)]
    near(torch.stack([*terms, sum(terms)]), answers["mcud.loss"])


def views():
    picture = image("dfpp.x", (3, SIDE, SIDE))

    def grid(name, cells):
        return image(f"dfpp.{name}", (cells, cells)) > 0.5

    first, second = ([grid(f"g1{letter}", 13), grid(f"g2{letter}", 27)] for letter in "ab")
    masks = views_module.masks(first, second, grid("g3", 27), SIDE)
    noises = [20 * weight(f"dfpp.n{number}", picture.shape) for number in (1, 2)]
    return picture, masks, [views_module.view(picture, m, n) for m, n in zip(masks, noises, strict=True)]


def test_views(answers):
    _, masks, seen = views()
    for number, (mask, picture) in enumerate(zip(masks, seen, strict=True), 1):
        assert (np.packbits(mask) == answers[f"pretext.mask{number}"]).all()
        near(torch.from_numpy(picture[:, ::5, ::5]), answers[f"pretext.view{number}"], 1e-6)


def test_random_views_hide_and_complete_each_other():
    rng = np.random.default_rng(0)
    picture = image("dfpp.x", (3, 64, 64)) * 0.5 + 0.2
    shares = []
    for _ in range(40):
        first, second, mask1, mask2 = views_module.two_views(picture, rng)
        assert ((mask1 + mask2) >= 1).all()
        assert (first[:, mask1[0] == 1] == picture[:, mask1[0] == 1]).all()
        assert ((second >= 0) & (second <= 1)).all()
        shares.append(mask1.mean())
    assert min(shares) < 0.3
    assert max(shares) > 0.7


def test_losses(answers):
    _, (mask1, mask2), _ = views()
    mask1, mask2 = (torch.from_numpy(m[None, None].astype(np.float32)) for m in (mask1, mask2))
    shape = (2, 3, SIDE, SIDE)
    names = {"common": "common", "unique1": "upper", "unique2": "lower", "rec": "rec", "fused": "fused"}
    outputs = {name: tensor(f"dfpp.l.{theirs}", shape) for name, theirs in names.items()}
    both = torch.cat((mask1, mask2)), torch.cat((mask2, mask1))
    near(defusion_terms(tensor("dfpp.l.x", shape), both, outputs), answers["loss.terms"])


def test_gradients(model, noise, answers):
    """In float64: in float32 an L1 loss's signs flip with a processor's rounding."""
    model = copy.deepcopy(model).double()
    picture, masks, seen = views()
    first, second = (torch.from_numpy(v)[None].double() for v in seen)
    masks = tuple(torch.from_numpy(m[None, None].astype(np.float64)) for m in masks)
    parts = model.parts(first, second, "12", noise.double())
    terms = defusion_terms(torch.from_numpy(picture)[None].double(), masks, parts)
    near(terms, answers["train.terms"])
    terms[-1].backward()
    grads = {name: p.grad for name, p in model.named_parameters()}
    assert {name for name, grad in grads.items() if grad is None} == {"encoder.norm.weight", "encoder.norm.bias"}
    norm = torch.sqrt(sum((g**2).sum() for g in grads.values() if g is not None))
    near(norm, answers["train.gradnorm"])
    found = [key for key in answers if key.startswith("train.grad.")]
    assert len(found) == 5
    for key in found:
        near(grads[our_name("defusion", key.removeprefix("train.grad."))], answers[key])


@torch.no_grad()
@pytest.mark.parametrize(("channels", "sides"), [(1, (240, 300)), (3, (1, 40))])
def test_any_size(channels, sides, model):
    a, b = tensor("dfpp.s", (1, channels, *sides)), tensor("dfpp.t", (1, channels, *sides))
    fused = model(a, b)
    assert fused.shape == a.shape
    assert torch.allclose(fused, model(b, a), atol=1e-5), "of no matter which is which"
    assert ((fused >= 0) & (fused <= 1)).all()


def test_windows_reach_the_borders():
    assert starts(224, 106) == [0]
    assert starts(436, 106) == [0, 106, 212]
    assert starts(500, 106) == [0, 106, 212, 276]
    wide = torch.arange(5.0).view(1, 1, 1, 5)
    assert mirrored(wide, (7, 2, 0, 0)).flatten().tolist() == [1, 2, 3, 4, 3, 2, 1, 0, 1, 2, 3, 4, 3, 2]
