"""The training scripts, run for real on the embedded sample; recipes, losses, switches, bad data, logs."""

import csv
import json
import math
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import torch

import test_dcinn_hmf
import train_dcinn_hmf
import train_dcinn_ivf_rs
import train_dcinn_ivf_tno
import train_dcinn_ps
from data.simulate import spectral_response
from models import dcinn_hmf, dcinn_ivf, dcinn_ps, load_pretrained
from models.checkpoint import load_extra
from models.layers import ActNorm
from utils import losses, recipes
from utils.average import Average
from utils.objectives import DetailObjective, StructureObjective, start_actnorm

SCRIPTS = {
    "ps": train_dcinn_ps,
    "hmf": train_dcinn_hmf,
    "ivf_rs": train_dcinn_ivf_rs,
    "ivf_tno": train_dcinn_ivf_tno,
}
SMALL = {
    "ps": ("--patch", 32, "--batch", 4),
    "hmf": ("--patch", 32, "--batch", 2, "--stride", 224),
    "ivf_rs": ("--patch", 48, "--batch", 2),
    "ivf_tno": ("--patch", 48, "--batch", 2),
}
EXPECTED = json.loads((Path(__file__).with_name("expected") / "training.json").read_text())


def train(name, folder, *options, epochs=1):
    common = ("--output", folder / "run", "--epochs", epochs)
    return SCRIPTS[name].main([str(o) for o in (*SMALL[name], *common, *options)])


def rows(folder):
    with (folder / "run/train.csv").open() as file:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]


def refused(name, folder, capsys, *options):
    with pytest.raises(SystemExit) as stop:
        train(name, folder, *options)
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert error.count("\n") == 1, error
    return error


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
    train("hmf", tmp_path)
    result = test_dcinn_hmf.main(
        ["--weights", str(tmp_path / "run/last.pth"), "--output", str(tmp_path / "o"), "--limit", "1"]
    )
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
def test_recipes(task, name, ratio, expected):
    assert recipes.recipe(task, name, ratio) == recipes.Recipe(*expected)


def test_the_rate_is_halved_at_the_milestones(tmp_path):
    train("ivf_tno", tmp_path, "--milestones", 1, 3, "--lr", 0.001, "--eval-every", 4, epochs=4)
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
    assert found[0].item() == pytest.approx(losses.ps_loss(fused, gt, back, detail, 0.5).item(), rel=1e-4)
    calls = []
    model.flow.inverse = lambda *a: calls.append(a)
    assert len(DetailObjective(model, 0.0)(lms, pan, gt)) == 2
    assert not calls, "weight 0 skips the inverse pass"


def test_the_ivf_objective_is_the_released_loss():
    torch.manual_seed(3)
    visible, infrared = random_images(1, 1, side=48)
    model = dcinn_ivf("max")
    weights = (1, 0.05, 6e-4, 2.5e-4)
    found = StructureObjective(model, weights)(visible, infrared)
    expected = losses.ivf_loss(model(visible, infrared), infrared, visible, weights)
    assert found[0].item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_actnorm_starts_from_the_first_batch_under_mixed_precision(dtype):
    torch.manual_seed(3)
    models = [dcinn_hmf(31, srf=spectral_response()) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    base, guide = random_images(31, 3)
    models[0].train()(base, guide)
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        start_actnorm(models[1], base, guide)
    for a, b in zip(models[0].modules(), models[1].modules(), strict=True):
        if isinstance(a, ActNorm):
            assert b.initialized
            assert torch.allclose(a.loc, b.loc, rtol=1e-5)
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


@pytest.fixture
def roadscene(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("FLIR_00211", "FLIR_00001", "FLIR_00002", "FLIR_00003"):
        for kind in ("crop_LR_visible", "cropinfrared"):
            (tmp_path / "rs" / kind).mkdir(parents=True, exist_ok=True)
            image = cv2.GaussianBlur(rng.integers(0, 256, (60, 70, 3)).astype(np.uint8), (5, 5), 2)
            cv2.imwrite(str(tmp_path / "rs" / kind / f"{name}.jpg"), image)
    return tmp_path / "rs"


def test_test_pairs_are_left_out(roadscene, tmp_path, capsys):
    train("ivf_rs", tmp_path, "--data", roadscene, "--hold-back", 1)
    said = capsys.readouterr().out
    assert "2 samples from" in said
    assert "without 1 test pairs of CDDFuse" in said
    assert "1 pairs held back" in said
    train("ivf_rs", tmp_path / "six", "--hold-back", 2, "--epochs", 1)
    assert "2 pairs held back" in capsys.readouterr().out
    train("ivf_rs", tmp_path / "all", "--data", roadscene, "--keep-test-pairs")
    assert "4 samples from" in capsys.readouterr().out


def test_bad_data_ends_the_run_or_is_counted(roadscene, tmp_path, capsys):
    file = roadscene / "cropinfrared/FLIR_00002.jpg"
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    error = refused("ivf_rs", tmp_path, capsys, "--data", roadscene, "--batch", 3)
    assert "FLIR_00002.jpg: found" in error
    assert not (tmp_path / "run/last.pth").exists()
    train("ivf_rs", tmp_path, "--data", roadscene, "--batch", 3, "--skip-bad", "--output", tmp_path / "run2", epochs=2)
    said = capsys.readouterr().out
    assert "bad samples" in said
    assert ", 0 bad samples" not in said


def test_a_row_of_nan_in_an_h5_names_its_index(tmp_path, capsys):
    rng = np.random.default_rng(0)
    with h5py.File(tmp_path / "t.h5", "w") as file:
        shapes = {"GT": (4, 31, 32, 32), "HSI_up": (4, 31, 32, 32), "LRHSI": (4, 31, 8, 8), "RGB": (4, 3, 32, 32)}
        for key, shape in shapes.items():
            file[key] = rng.random(shape).astype(np.float32)
        file["GT"][3] = np.nan
    common = ("--data", tmp_path / "t.h5", "--hold-back", 0, "--batch", 4)
    assert "t.h5: GT[3]: found NaN or infinity" in refused("hmf", tmp_path, capsys, *common)


def test_a_loss_that_is_not_finite_names_the_batch(tmp_path, capsys):
    error = refused("ivf_tno", tmp_path, capsys, "--lr", "1e18", "--clip", "1e18", "--epochs", 9)
    assert "found a " in error
    assert any(name in error for name in ("astronaut", "chelsea", "coffee", "rocket"))
    if (tmp_path / "run/last.pth").exists():
        assert "the last good checkpoint is" in error
        for value in load_pretrained(tmp_path / "run/last.pth").state_dict().values():
            assert torch.isfinite(value.float()).all()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("ps", ("--data", "none.h5"), "none.h5: found no such file"),
        ("ps", ("--patch", 34), "expected multiples of the ratio 4"),
        ("ps", ("--patch", 256), "expected at least a patch of 256"),
        ("hmf", ("--stride", 3), "expected multiples of the ratio 4"),
        ("ivf_tno", ("--patch", 999), "expected at least a crop of 999"),
        ("ivf_tno", ("--hold-back", 4), "--hold-back: found 4 of 4 samples"),
        ("ivf_tno", ("--amp", "fp16"), "--amp fp16: found a CPU"),
        ("ivf_tno", ("--lr", "x"), "found x, expected a number"),
        ("ivf_tno", ("--lr", "-1"), "expected a number over 0"),
        ("ivf_tno", ("--ema", "1"), "from 0 to under 1"),
        ("ivf_tno", ("--resume",), "last.pth: found no such file"),
    ],
)
def test_options_that_do_not_fit(name, options, message, tmp_path, capsys):
    assert message in refused(name, tmp_path, capsys, *options)
    assert not (tmp_path / "run").exists(), "nothing is written"


def test_an_earlier_run_is_not_overwritten(tmp_path, capsys):
    train("ivf_tno", tmp_path)
    before = (tmp_path / "run/last.pth").read_bytes()
    assert "found an earlier run, expected --resume or another --output" in refused("ivf_tno", tmp_path, capsys)
    assert "found a run with lr 5e-05, expected 0.1" in refused("ivf_tno", tmp_path, capsys, "--resume", "--lr", "0.1")
    assert (tmp_path / "run/last.pth").read_bytes() == before
    assert "without a training state" in refused("ivf_tno", tmp_path, capsys, "--resume", tmp_path / "run/best.pth")


def board_of(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(folder / "run/tensorboard"))
    board.Reload()
    return board


def test_tensorboard_has_scalars_images_and_the_configuration(tmp_path):
    train("hmf", tmp_path)
    board = board_of(tmp_path)
    tags = board.Tags()
    assert {"epoch/loss", "epoch/PSNR", "epoch/lr", "step/loss"} <= set(tags["scalars"])
    assert "fused/coffee" in tags["images"]
    assert tags["tensors"] == ["config/text_summary"]
    assert math.isclose(board.Scalars("epoch/PSNR")[0].value, rows(tmp_path)[0]["PSNR"], rel_tol=1e-5)


def test_a_resumed_run_leaves_no_step_twice_and_no_half_written_file(tmp_path, monkeypatch):
    """Steps that were logged after the last checkpoint are logged again; TensorBoard forgets the first time."""
    train("ivf_tno", tmp_path, "--steps", 3, "--batch", 1, epochs=2)
    state = (tmp_path / "run/last.pth").read_bytes()
    train("ivf_tno", tmp_path, "--resume", "--batch", 1, "--steps", 6, epochs=2)
    (tmp_path / "run/last.pth").write_bytes(state)  # as if killed after step 6, with the checkpoint of step 3
    (tmp_path / "run/.last.pth.abc").write_bytes(b"half")
    train("ivf_tno", tmp_path, "--resume", "--batch", 1, epochs=2)
    board = board_of(tmp_path)
    assert [event.step for event in board.Scalars("step/loss")] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [event.step for event in board.Scalars("epoch/val_loss")] == [4, 8]
    assert [row["epoch"] for row in rows(tmp_path)] == [0, 1]
    assert not list((tmp_path / "run").glob(".*"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ps", "ivf_tno"])
def test_compiled_training_gives_the_same_loss(name, tmp_path):
    for folder, options in ((tmp_path / "plain", ()), (tmp_path / "compiled", ("--compile",))):
        train(name, folder, "--steps", 2, "--batch", 2, *options)
    plain, compiled = (
        [event.value for event in board_of(tmp_path / kind).Scalars("step/loss")] for kind in ("plain", "compiled")
    )
    assert compiled == pytest.approx(plain, rel=1e-4)
