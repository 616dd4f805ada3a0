"""The tuned infrared-visible recipe: its terms by NumPy, its weights, a step of it, and its refusal elsewhere."""

import cv2
import numpy as np
import pytest
import torch
from small_trainings import SCRIPTS

import train_dcinn_ivf_rs
from metrics import scd
from models import dcinn_ivf, load_pretrained
from utils.training.losses import MaximaWeights, maxima_terms, ssim
from utils.training.objectives import MaximaObjective
from utils.training.recipe import TUNED


@pytest.fixture
def images():
    """Fused (over 1 in places), infrared and visible."""
    rng = np.random.default_rng(3)
    return [torch.from_numpy(rng.random((2, 1, 24, 20)) * top) for top in (1.2, 1, 1)]


def test_the_terms_are_what_their_names_say(images):
    found = maxima_terms(*images, gain=1.5).numpy()
    fused, infrared, visible = (image.numpy()[:, 0] for image in images)
    gradient = 0
    for axis in (1, 2):
        ours, a, b = (np.diff(image, axis=axis) for image in (fused, infrared, visible))
        stronger = np.where(np.abs(a) > np.abs(b), a, b)
        gradient += np.abs(ours - 1.5 * stronger).mean()
    correlations = [scd(200 * f, 200 * i, 200 * v) for f, i, v in zip(fused, infrared, visible, strict=True)]
    outside = np.where(fused > 1, fused - 1, 0).mean()
    expected = [np.abs(fused - np.maximum(infrared, visible)).mean(), gradient]
    expected += [1 - float(ssim(images[0], source)) for source in images[1:]]
    expected += [2 - np.mean(correlations), outside]
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-9)
    assert found[5] > 0.005, "a part of it is outside"


def test_the_maximum_of_disjoint_sources_is_what_it_asks_for():
    """Where each source is dark and flat outside its own half, nothing is lost: all but the SSIM terms vanish."""
    texture = torch.rand(1, 1, 32, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    texture[..., [0, -1]] = 0
    dark = torch.zeros_like(texture)
    infrared, visible = torch.cat((texture, dark), -1), torch.cat((dark, texture), -1)
    terms = maxima_terms(torch.maximum(infrared, visible), infrared, visible)
    assert terms[[0, 1, 5]].abs().max() == 0
    assert terms[4] == pytest.approx(0, abs=1e-6)


def test_constant_images_have_gradients():
    flat = torch.full((1, 1, 24, 20), 0.5, requires_grad=True)
    maxima_terms(flat, flat.detach(), flat.detach()).sum().backward()
    assert torch.isfinite(flat.grad).all()


def test_the_objective_gives_the_weighted_sum_and_the_terms():
    torch.manual_seed(0)
    model, pair = dcinn_ivf("max"), [torch.rand(2, 1, 32, 32) for _ in range(2)]
    weights = MaximaWeights(2, 3, 5, 7, 11, 13, gain=1.2)
    with torch.no_grad():
        found, fused = MaximaObjective(model, weights)(*pair), model(*pair)
    terms = maxima_terms(fused, pair[1], pair[0], gain=1.2)
    assert len(found) == len(MaximaObjective.names)
    assert torch.allclose(found[1:], terms)
    assert float(found[0]) == pytest.approx(float((terms * torch.tensor(weights[:6])).sum()), rel=1e-5)


def test_only_infrared_visible_images_have_the_recipe(capsys):
    for task, script in SCRIPTS.items():
        assert script.RECIPES.get("tuned") == (TUNED if task.startswith("ivf") else None)
    assert TUNED.base_rule == "max"
    with pytest.raises(SystemExit):
        SCRIPTS["hmf"].main(["--recipe", "tuned"])
    assert "released" in capsys.readouterr().err


def test_a_short_training_lowers_it(tmp_path):
    rng = np.random.default_rng(0)
    for kind in ("vi", "ir"):
        (tmp_path / kind).mkdir()
        for name in "abcd":
            image = cv2.GaussianBlur(rng.integers(0, 256, (48, 48)).astype(np.uint8), (9, 9), 2)
            cv2.imwrite(str(tmp_path / kind / f"{name}.png"), cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX))
    options = ["--recipe", "tuned", "--patch", "48", "--batch", "2", "--epochs", "3", "--data", str(tmp_path)]
    train_dcinn_ivf_rs.main([*options, "--output", str(tmp_path / "run")])
    lines = (tmp_path / "run/train.csv").read_text().splitlines()
    assert "differences" in lines[0]
    losses = [float(line.split(",")[lines[0].split(",").index("val_loss")]) for line in lines[1:]]
    assert losses[-1] < losses[0]
    assert load_pretrained(tmp_path / "run/best.pth", task="ivf").config.base_rule == "max"
