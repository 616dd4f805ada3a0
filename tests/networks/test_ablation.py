"""The networks of the paper's Table 8: one idea left out."""

import json
from pathlib import Path

import pytest
import torch
from small_trainings import train

from data.simulate import spectral_response
from models import dcinn_hmf, dcinn_ivf, dcinn_ps, load_pretrained, save_checkpoint
from models.config import ABLATIONS
from models.decomposition import DETAIL_RULES

BUILDERS = {
    "ps": (lambda **options: dcinn_ps(4, **options), 4, 1),
    "hmf": (lambda **options: dcinn_hmf(srf=spectral_response(), **options), 31, 3),
    "ivf": (lambda **options: dcinn_ivf("max", **options), 1, 1),
}


def network(task, without):
    torch.manual_seed(0)
    build, bands, guide = BUILDERS[task]
    model = build(without=without).double()
    for parameter in model.parameters():  # nothing at zero any more
        parameter.data += 0.02 * torch.randn_like(parameter)
    return model.eval(), torch.rand(1, bands, 24, 32).double(), torch.rand(1, guide, 24, 32).double()


def goes_back(model, a, b, mapped):
    model.exact = True
    return torch.allclose(model.invert(model(a, b), a, b), mapped, atol=1e-7)


@pytest.mark.parametrize("task", BUILDERS)
@torch.no_grad()
def test_without_anet_the_couplings_see_the_detail_alone(task):
    model, a, b = network(task, "anet")
    base, detail = model.decompose(a, b)
    assert all(m.shape[1] == 0 for m in model.anet(a, b))
    assert torch.allclose(model(a, b), base + model.flow(detail, model.anet(b.flip(-1), a)), atol=1e-12)
    assert goes_back(model, a, b, detail)


@pytest.mark.parametrize("task", BUILDERS)
@torch.no_grad()
def test_without_detail_the_image_itself_goes_through_cinn(task):
    model, a, b = network(task, "detail")
    base, image = model.decompose(a, b)
    assert not base.any()
    assert torch.equal(image, (a + b) / 2 if task == "ivf" else a)
    assert not torch.allclose(model(a, b), model(a, b.flip(-1)), atol=1e-4), "the guide acts by the conditions"
    assert goes_back(model, a, b, image)


@pytest.mark.parametrize("task", BUILDERS)
@torch.no_grad()
def test_without_cinn_nothing_can_be_inverted(task):
    model, a, b = network(task, "cinn")
    assert not torch.allclose(model(a, b), sum(model.decompose(a, b)), atol=1e-4)
    with pytest.raises(ValueError, match="expected an invertible one"):
        model.invert(a, a, b)
    whole = network(task, None)[0]
    count, full = (sum(p.numel() for p in m.parameters()) for m in (model, whole))
    assert count == pytest.approx(full, rel=0.5 if task == "ps" else 0.07), "a fair comparison"


def test_the_rules_of_details():
    """Table 10; the sum as released, the mean as printed, the larger one in magnitude; ours."""
    a, b = torch.rand(2, 1, 1, 20, 24, generator=torch.Generator().manual_seed(0)).double()
    zero = torch.zeros_like(a)
    one, other = (dcinn_ivf("max").double().decompose(x, zero)[1] for x in (a, b))
    found = {rule: dcinn_ivf("max", detail_rule=rule).double().decompose(a, b)[1] for rule in DETAIL_RULES}
    assert torch.allclose(found["sum"], one + other)
    assert torch.allclose(found["mean"], (one + other) / 2)
    expected = [x if abs(x) > abs(y) else y for x, y in zip(one.flatten(), other.flatten(), strict=True)]
    assert torch.allclose(found["max"].flatten(), torch.stack(expected))
    low_a, low_b = a - one, b - other
    assert torch.allclose(found["brighter"], torch.where(low_a >= low_b, one, other))


@pytest.mark.parametrize("without", ABLATIONS)
def test_ablations_train_and_load(without, tmp_path):
    train("ps", tmp_path, "--without", without, "--steps", 1)
    model = load_pretrained(tmp_path / "run/last.pth")
    assert model.config.without == without
    assert json.loads((tmp_path / "run/run.json").read_text())["model"]["without"] == without


def test_the_numbers_of_parameters_are_those_of_the_documents():
    text = (Path(__file__).resolve().parents[2] / "docs/training.md").read_text(encoding="utf-8")
    networks = {
        "ps, 8 bands": dcinn_ps(8),
        "hmf, 31 bands": dcinn_hmf(srf=spectral_response()),
        "ivf": dcinn_ivf("max"),
    }
    for name, model in networks.items():
        assert f"| {name} | {sum(p.numel() for p in model.parameters()):,} |" in text
    assert f"{sum(p.numel() for p in dcinn_ps(8, low_blocks=4).parameters()):,} with four blocks" in text


@pytest.mark.parametrize("without", ABLATIONS)
def test_ablations_are_not_exact_and_go_on(without, tmp_path):
    model = dcinn_ps(4, without=without)
    assert not model.exact
    save_checkpoint(tmp_path / "a.pth", model)
    assert load_pretrained(tmp_path / "a.pth").config == model.config
    train("ps", tmp_path, "--without", without, "--steps", 1)
    train("ps", tmp_path, "--without", without, "--steps", 2, "--resume")
    assert load_pretrained(tmp_path / "run/last.pth").config.without == without


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="expected one of anet, detail, cinn"):
        dcinn_ps(4, without="flow")
