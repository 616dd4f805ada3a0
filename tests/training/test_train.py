"""The training scripts, run for real on the embedded sample; recipes, losses, switches, bad data, logs."""

import json
from pathlib import Path

import pytest
import torch
from small_trainings import SCRIPTS, rows, train

import test_dcinn_ivf_tno
from data.simulate import spectral_response
from models import dcinn_hmf, dcinn_ivf, dcinn_ps, load_pretrained
from models.convexp import ConvExp
from models.layers import ActNorm
from models.weights.checkpoint import load_extra
from utils.training.arguments import TrainingArguments
from utils.training.ema import Average
from utils.training.objectives import DetailObjective, start_actnorm
from utils.training.recipe import TUNED, Recipe

EXPECTED = json.loads((Path(__file__).parents[1] / "expected" / "training.json").read_text())


@pytest.mark.parametrize("name", SCRIPTS)
def test_one_epoch_on_the_sample(name, tmp_path, capsys):
    """Losses and validation against values of an earlier run of the same code, committed: they must not drift."""
    metrics = train(name, tmp_path)
    (row,) = rows(tmp_path)
    for key, value in EXPECTED[name].items():
        assert row[key] == pytest.approx(value, rel=2e-3), key
    assert metrics == pytest.approx({k: row[k] for k in metrics})
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        "best.pth",
        "last.pth",
        "run.json",
        "tensorboard",
        "train.csv",
    ]
    config = json.loads((tmp_path / "run/run.json").read_text())
    assert config["recipe"] == "released"
    assert config["data"] == "the embedded sample"
    said = capsys.readouterr().out
    assert "the embedded sample" in said
    assert "training images themselves" in said
    plain = {"ps": "EXP (lms): PSNR", "hmf": "bicubic: PSNR"}.get(name, "max of the two: val_loss")
    assert f"without a network, {plain}" in said
    assert plain.partition(":")[0] in config["without_network"]
    model = load_pretrained(tmp_path / "run/best.pth")
    assert load_extra(tmp_path / "run/best.pth")["metrics"] == pytest.approx(metrics)
    assert model.config.task == name.partition("_")[0]


def test_the_trained_file_goes_into_the_test_script(tmp_path):
    train("ivf_tno", tmp_path)
    options = ["--weights", tmp_path / "run/last.pth", "--output", tmp_path / "o", "--limit", 1]
    result = test_dcinn_ivf_tno.main([str(o) for o in options])
    assert result["weights"] == "DCINN (last)"


@pytest.mark.parametrize(
    ("task", "name", "ratio", "expected"),
    [
        ("ps", "released", 4, (8e-4, 350, 32, 64, (50, 100, 250, 300), 1.0)),
        ("ps", "paper", 4, (1e-3, 350, 32, 64, (50, 100, 250, 300), 1.0)),
        ("hmf", "released", 4, (4e-4, 400, 16, 64, (50, 100, 200, 300), 0.0)),
        ("hmf", "paper", 4, (1e-3, 350, 32, 40, (50, 100, 250, 300), 1.0)),
        ("hmf", "paper", 8, (1e-3, 350, 32, 80, (50, 100, 250, 300), 1.0)),
        ("ivf_rs", "released", 4, (5e-5, 20, 8, 152, (), 0.0, (1, 0.05, 6e-4, 2.5e-4), "mean")),
        ("ivf_rs", "paper", 4, (5e-5, 20, 32, 128, (), 0.0, (1, 0.05, 2.5e-3, 6e-3), "mean")),
        ("ivf_tno", "released", 4, (5e-5, 20, 8, 152, (), 0.0, (1, 1, 1e-4, 0), "max")),
        ("ivf_tno", "paper", 4, (5e-5, 20, 32, 128, (), 0.0, (1, 1, 0, 1e-3), "max")),
    ],
)
def test_recipes(task, name, ratio, expected, monkeypatch):
    script, trained = SCRIPTS[task], []
    monkeypatch.setattr(script, "run", lambda task, args, recipe, prepare: trained.append((task, recipe)))
    script.main(["--recipe", name, *(["--ratio", str(ratio)] if task == "hmf" else [])])
    assert trained == [(task, Recipe(*expected))]


def prepared(script, monkeypatch, *options):
    """The task that a script would train."""
    found = []
    monkeypatch.setattr(script, "run", lambda task, args, recipe, prepare: found.append(prepare()))
    script.main(list(options))
    return found[0]


def test_the_tuned_recipe():
    weights = (2, 5, 0.5, 0.5, 0.3, 300, 1.4)
    assert (TUNED.lr, TUNED.epochs, TUNED.batch, TUNED.patch, TUNED.milestones) == (4e-4, 60, 8, 152, (36, 48))
    assert (tuple(TUNED.maxima_weights), TUNED.base_rule, TUNED.backward_weight) == (weights, "max", 0)
    assert TUNED.night == 0.5


@pytest.mark.parametrize(("options", "rule"), [((), "max"), (("--base-rule", "mean"), "mean")])
def test_the_base_rule_of_a_fresh_network(options, rule, monkeypatch):
    assert prepared(SCRIPTS["ivf_tno"], monkeypatch, *options).build().config.base_rule == rule


def test_what_a_resumed_run_shares_of_its_loss(monkeypatch):
    assert prepared(SCRIPTS["ivf_tno"], monkeypatch).loss_settings == [1, 1, 1e-4, 0]
    assert prepared(SCRIPTS["ivf_rs"], monkeypatch, "--recipe", "tuned").loss_settings == list(TUNED.maxima_weights)


@pytest.mark.parametrize("recipe", ["released", "tuned"])
def test_the_validated_loss_is_the_one_that_is_trained(recipe, monkeypatch):
    losses = []
    monkeypatch.setattr("utils.training.infrared_visible.without_reference", lambda items, loss: losses.append(loss))
    task = prepared(SCRIPTS["ivf_tno"], monkeypatch, "--recipe", recipe)
    model, (visible, infrared) = task.build().eval(), random_images(1, 1, side=48)
    with torch.no_grad():
        trained = task.objective(model)(visible, infrared)[0]
        assert float(losses[0](model(visible, infrared), infrared, visible)) == pytest.approx(float(trained), rel=1e-5)


@pytest.mark.parametrize("task", SCRIPTS)
def test_what_a_script_does_not_ask_for_has_the_default_of_the_arguments(task, monkeypatch):
    found = []
    monkeypatch.setattr(SCRIPTS[task], "run", lambda task, args, recipe, prepare: found.append(args))
    SCRIPTS[task].main([])
    assert found == [TrainingArguments(output=Path("runs") / task, command=found[0].command)]


def test_the_rate_is_halved_at_the_milestones(tmp_path):
    train("ivf_tno", tmp_path, "--batch", 4, "--milestones", 1, 3, "--lr", 0.001, "--eval-every", 4, epochs=4)
    found = rows(tmp_path)
    assert [row["lr"] for row in found] == [0.001, 0.0005, 0.0005, 0.00025]
    assert [row["epoch"] for row in found] == [0, 1, 2, 3]
    assert ["val_loss" in row for row in found] == [False, False, False, True]


def random_images(*channels, side=32):
    torch.manual_seed(0)
    return [torch.rand(2, c, side, side) for c in channels]


@pytest.mark.parametrize("target", ["predicted", "reference"])
def test_the_backward_loss(target):
    torch.manual_seed(3)
    model = dcinn_ps(4)
    for parameter in model.parameters():
        parameter.data += 0.02 * torch.randn_like(parameter)
    lms, pan, gt = random_images(4, 1, 4)
    found = DetailObjective(model, 0.5, target)(lms, pan, gt)
    fused = model(lms, pan)
    _base, detail = model.decompose(lms, pan)
    back = model.invert(fused if target == "predicted" else gt, lms, pan)
    forward, backward = (fused - gt).abs().mean(), (back - detail).abs().mean()
    expected = torch.stack((forward + 0.5 * backward, forward, backward)).tolist()
    assert found.tolist() == pytest.approx(expected, rel=1e-4, abs=1e-7)
    assert (backward < 1e-4) == (target == "predicted"), "the network's own output inverts to the detail it came from"
    calls = []
    model.flow.inverse = lambda *a: calls.append(a)
    assert len(DetailObjective(model, 0.0)(lms, pan, gt)) == 2
    assert not calls, "weight 0 skips the inverse pass"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_actnorm_starts_from_the_first_batch_under_mixed_precision(dtype):
    torch.manual_seed(3)
    models = [dcinn_hmf(31, srf=spectral_response()) for _ in range(2)]
    for layer in models[0].modules():
        if isinstance(layer, ConvExp):  # a fresh one is the identity, in any precision
            torch.nn.init.normal_(layer.kernel, std=0.01)
    models[1].load_state_dict(models[0].state_dict())
    base, guide = random_images(31, 3)
    models[0].train()(base, guide)
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        start_actnorm(models[1], base, guide)
    for a, b in zip(models[0].modules(), models[1].modules(), strict=True):
        if isinstance(a, ActNorm):
            assert b.initialized
            # In standard deviations of the channel: a mean near zero is rounded as the values that it is the mean of.
            assert float(((a.loc - b.loc) * a.scale).detach().abs().max()) < 1e-5
            assert torch.allclose(a.scale, b.scale, rtol=1e-5)


@pytest.mark.parametrize("options", [("--amp", "bf16"), ("--ema", "0.5"), ("--deterministic",), ("--workers", "1")])
def test_switches_run_and_change_what_they_should(options, tmp_path):
    train("ivf_tno", tmp_path, *options)
    (row,) = rows(tmp_path)
    loss = EXPECTED["ivf_tno"]["loss"]
    close = 0.02 if options[0] == "--amp" else 2e-3
    assert row["loss"] == pytest.approx(loss, rel=close)
    last = load_extra(tmp_path / "run/last.pth")["training"]
    assert (last["average"] is not None) == (options[0] == "--ema")
    torch.use_deterministic_algorithms(False)


def test_average_of_weights():
    model = torch.nn.BatchNorm1d(1)
    average = Average(0.75)
    for value in (0.0, 4.0):
        model.weight.data.fill_(value)
        model.num_batches_tracked.fill_(int(value))
        average.update(model)
    assert average.weights["weight"].item() == 1
    assert average.weights["num_batches_tracked"].item() == 4
    with average.inside(model):
        assert model.weight.item() == 1
    assert model.weight.item() == 4
    off = Average()
    off.update(model)
    assert off.weights is None


def test_weights_to_start_from_and_other_options_of_the_model(tmp_path):
    from models import save_checkpoint

    model = dcinn_ivf("mean")
    model.anet.tail1.bias.data.fill_(0.123)
    save_checkpoint(tmp_path / "w.pth", model)
    train("ivf_tno", tmp_path, "--weights", tmp_path / "w.pth", "--lr", "1e-9")
    trained = load_pretrained(tmp_path / "run/last.pth")
    assert trained.anet.tail1.bias.mean().item() == pytest.approx(0.123, abs=1e-5)
