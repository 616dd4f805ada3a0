"""The contrast recipe: its curve and target by their formulas, its terms, a step of it; crops as at night."""

import json

import numpy as np
import pytest
import torch
from small_trainings import train
from torch.nn import functional

from data.patches.night import darkened, night_pair
from data.patches.pairs import PairCrops
from data.samples import sample_pairs
from models import dcinn_ivf, load_pretrained
from utils.training import contrast
from utils.training.contrast import ContrastWeights, contrast_target, contrast_terms, smoothed, tone
from utils.training.infrared_visible import at_night, whole_pair
from utils.training.losses import ssim
from utils.training.objectives import ContrastObjective
from utils.training.recipe import CONTRAST


@pytest.fixture
def images():
    """Fused (over 1 in places), infrared and visible, bright as by day."""
    rng = np.random.default_rng(3)
    return [torch.from_numpy(0.2 + rng.random((2, 1, 24, 20)) * top) for top in (1, 0.8, 0.8)]


def test_the_curve():
    x = torch.linspace(0, 1, 1001, dtype=torch.float64)
    t = tone(x)
    assert ((x.diff() > 0) & (t.diff() > 0)).all()
    line = 1.25 * x - 0.25
    between = (line > 0.15) & (line < 0.94)
    assert torch.allclose(t[between], line[between])
    assert float(t[0]) == pytest.approx(0.15 * np.exp(-0.4 / 0.15))
    assert float(t[-1]) == pytest.approx(1 - 0.06 * np.exp(-1))
    slopes = t.diff() / x.diff()
    assert slopes.diff().abs().max() < 0.03, "no corner where the ends begin"
    assert slopes.max() < 1.2501


def test_the_curve_of_dark_pairs_is_none():
    x = torch.linspace(0, 0.94, 95, dtype=torch.float64)
    assert torch.allclose(tone(x, 0.0), x)
    half = tone(x.view(-1, 1, 1, 1), torch.full((95, 1, 1, 1), 0.5, dtype=torch.float64)).flatten()
    assert (half.diff() > 0).all()
    assert ((tone(x) <= half + 1e-12) & (half <= x + 1e-12))[x > 0.1].all()


def test_the_target_by_day(images):
    _, infrared, visible = images
    most = torch.maximum(infrared, visible)
    assert min(float(infrared.mean()), float(visible.mean())) > contrast.LIT
    t = tone(most.clamp(0, 1))
    assert torch.allclose(contrast_target(infrared, visible, gain=0), t)
    detail = t - smoothed(t)
    energy = smoothed(detail**2, 2.0)
    expected = t + 0.3 * energy / (energy + 0.03**2) * detail
    assert torch.allclose(contrast_target(infrared, visible), expected)


def test_the_target_of_a_dark_pair_is_the_maximum(images):
    _, infrared, visible = images
    found = contrast_target(infrared, 0.1 * visible, gain=0)
    most = torch.maximum(infrared, 0.1 * visible)
    assert torch.allclose(found[most < 0.94], most[most < 0.94])


def test_a_dark_pair_is_sharpened_by_half(images):
    _, infrared, visible = images
    shadow = 0.1 * visible
    soft, plain = (contrast_target(infrared, shadow, gain) for gain in (0.3, 0.0))
    detail = plain - smoothed(plain)
    energy = smoothed(detail**2, 2.0)
    assert torch.allclose(soft - plain, 0.15 * energy / (energy + 0.03**2) * detail)


def test_grain_is_not_made_stronger_and_edges_are():
    grain = 0.5 + 0.005 * torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    plain, sharp = (contrast_target(grain, grain, gain) for gain in (0.0, 0.3))
    assert sharp.std() < 1.03 * plain.std()
    edge = torch.full((1, 1, 32, 32), 0.3, dtype=torch.float64)
    edge[..., 16:] = 0.8
    plain, sharp = (contrast_target(edge, edge, gain) for gain in (0.0, 0.3))
    assert sharp.max() > plain.max() + 0.05


def test_structure_of_the_darker_source_where_the_brighter_one_is_flat():
    glare = torch.full((1, 1, 40, 40), 0.98, dtype=torch.float64)
    trunk = torch.full((1, 1, 40, 40), 0.5, dtype=torch.float64)
    trunk[..., 18:22] = 0.1
    lost, shown = (contrast_target(glare, trunk, 0.0, structure) for structure in (0.0, 1.0))
    assert lost.std() < 1e-6
    assert shown[..., 10:30, 19:21].mean() < lost.mean() - 0.1
    other = contrast_target(trunk, glare, 0.0, 1.0)
    assert torch.allclose(other, shown), "whichever source that is"


def test_means_are_gaussian_and_keep_constants():
    assert torch.allclose(smoothed(torch.full((1, 1, 9, 9), 0.7)), torch.tensor(0.7))
    point = torch.zeros(1, 1, 31, 31, dtype=torch.float64)
    point[..., 15, 15] = 1
    found = smoothed(point, 1.0)[0, 0]
    assert float(found[15, 16] / found[15, 15]) == pytest.approx(np.exp(-0.5))
    assert float(found.sum()) == pytest.approx(1)


def test_the_terms(images):
    fused, infrared, visible = images
    found = contrast_terms(fused, infrared, visible, 0.3, 0.0)
    target = contrast_target(infrared, visible)
    gradient = sum((fused.diff(dim=a) - target.diff(dim=a)).abs().mean() for a in (2, 3))
    outside = (functional.relu(fused - 1) + functional.relu(-fused)).mean()
    expected = ((fused - target).abs().mean(), gradient, 1 - ssim(fused, infrared), 1 - ssim(fused, visible), outside)
    assert torch.allclose(found, torch.stack(expected))
    assert found[4] > 0.001
    assert contrast_terms(target, infrared, visible, 0.3, 0.0)[:2].abs().max() == 0


def test_the_objective_gives_the_weighted_sum_and_the_terms():
    torch.manual_seed(0)
    model, pair = dcinn_ivf("max", detail_rule="brighter"), [torch.rand(2, 1, 32, 32) for _ in range(2)]
    weights = ContrastWeights(2, 3, 5, 7, 11, gain=0.2, structure=0.4)
    with torch.no_grad():
        found, fused = ContrastObjective(model, weights)(*pair), model(*pair)
    terms = contrast_terms(fused, pair[1], pair[0], 0.2, 0.4)
    assert len(found) == len(ContrastObjective.names)
    assert torch.allclose(found[1:], terms)
    assert float(found[0]) == pytest.approx(float((terms * torch.tensor(weights[:5])).sum()), rel=1e-5)


@pytest.mark.parametrize("name", ["ivf_rs", "ivf_tno"])
def test_a_step_of_the_recipe(name, tmp_path):
    metrics = train(name, tmp_path, "--recipe", "contrast")
    assert np.isfinite(metrics["val_loss"])
    config = load_pretrained(tmp_path / "run/last.pth").config
    assert (config.base_rule, config.detail_rule) == ("max", "brighter")
    assert CONTRAST.night == 0.5


@pytest.mark.parametrize(("options", "share"), [(["--night", 0.25], 0.25), (["--night", 0], None)])
def test_the_share_of_night_samples(options, share, tmp_path):
    train("ivf_tno", tmp_path, "--recipe", "contrast", *options)
    run = json.loads((tmp_path / "run/run.json").read_text())
    assert run["settings"]["night"] == share
    pairs = len(sample_pairs())
    assert run["validation"].startswith(f"{pairs * (2 if share else 1)} ")


def test_a_share_over_one_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as refusal:
        train("ivf_tno", tmp_path, "--night", 1.5)
    assert refusal.value.code == 2
    assert "--night: found 1.5, expected a number from 0 to 1" in capsys.readouterr().err


def test_night_is_dark_and_its_lamps_are_bright():
    image = np.full((1, 100, 100), 0.5, np.float32)
    image[0, 40:46, 40:46] = 1.0
    for seed in range(20):
        dark = darkened(image, np.random.default_rng(seed))
        assert dark.dtype == np.float32
        assert np.array_equal(dark, np.rint(dark * 255).astype(np.float32) / np.float32(255))
        assert 0.1 * 0.5**1.6 - 0.01 < np.median(dark) < 0.5 * 0.5
        assert dark[0, 41:45, 41:45].mean() > 0.95
    bright = np.full((1, 100, 100), 0.99, np.float32)
    assert darkened(bright, np.random.default_rng(0)).mean() < 0.6, "a bright sky is no lamp"


def test_night_of_one_source_or_of_both():
    pair = sample_pairs()[0]
    both = [
        not np.array_equal(
            night_pair(pair["visible"], pair["infrared"], np.random.default_rng(seed))[1], pair["infrared"]
        )
        for seed in range(40)
    ]
    assert 8 < sum(both) < 32


def test_crops_by_day_and_by_night():
    pairs = sample_pairs()
    day = [PairCrops(pairs, 64).sample(0, np.random.default_rng(seed)) for seed in range(20)]
    mixed = [PairCrops(pairs, 64, night=0.5).sample(0, np.random.default_rng(seed)) for seed in range(20)]
    same = [np.array_equal(a["base_image"], b["base_image"]) for a, b in zip(day, mixed, strict=True)]
    assert 3 < sum(same) < 17
    for a, b, equal in zip(day, mixed, same, strict=True):
        assert equal or b["base_image"].mean() < a["base_image"].mean()
        assert not equal or np.array_equal(a["guide"], b["guide"])


def test_the_night_of_a_validation_pair_is_always_the_same():
    item = whole_pair(sample_pairs(), 1)
    one, again, other = at_night(item, 3), at_night(item, 3), at_night(item, 4)
    assert np.array_equal(one["base_image"], again["base_image"])
    assert not np.array_equal(one["base_image"], other["base_image"])
    assert one["name"].endswith(", night")
