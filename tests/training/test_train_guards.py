"""What must not happen in a training run: diverged weights kept, settings mixed, held-back data trained on."""

import random

import h5py
import numpy as np
import pytest
import scipy.io
import torch
from small_trainings import refused, rows, train

from data.patches.pansharpening import PanScenePatches
from data.samples import sample_hyperspectral
from models import dcinn_ivf, load_pretrained, save_checkpoint
from models.weights.checkpoint import load_extra
from utils.training.engine import Trainer
from utils.training.objectives import StructureObjective
from utils.training.resume import random_state, set_random_state
from utils.training.validation import Validation
from utils.training.validation_split import split_held

RNG = np.random.default_rng(4)


def test_black_pairs_have_a_gradient():
    model = dcinn_ivf("max")
    black = torch.zeros(1, 1, 48, 48)
    StructureObjective(model, (1, 1, 1e-4, 0))(black, black)[0].backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def scene(**changes):
    return {"sensor": "QB", "patch": 32, "stride": 16, "name": "s", **changes}


def test_held_back_patches_of_a_scene_share_no_pixel_with_the_others():
    source = PanScenePatches(RNG.random((4, 128, 96)), RNG.random((512, 384)), **scene())
    kept, held = split_held(source, 3, "s")

    def pixels(part):
        covered = np.zeros((128, 96), bool)
        for i in range(len(part)):
            top, left = (int(n) for n in part.sample(i, None)["name"].rpartition(" ")[2].split(","))
            covered[top : top + 32, left : left + 32] = True
        return covered

    assert len(held) == 3
    assert pixels(kept).any()
    assert not (pixels(kept) & pixels(held)).any()


def test_held_back_pairs_and_scenes_are_not_trained_on(tmp_path, monkeypatch):
    seen, original = [], Trainer._checked

    def checked(self, batch):
        seen.extend(batch["names"])
        return original(self, batch)

    monkeypatch.setattr(Trainer, "_checked", checked)
    train("ivf_tno", tmp_path / "a", "--hold-back", 2, "--batch", 1, epochs=2)
    assert set(seen) == {"astronaut", "chelsea"}
    seen.clear()
    train("hmf", tmp_path / "b", "--hold-back", 1)
    scenes = [scene["name"] for scene in sample_hyperspectral()]
    assert {name.partition(",")[0] for name in seen} == set(scenes[:-1])


def test_a_network_that_diverges_in_validation_is_not_saved(tmp_path, capsys, monkeypatch):
    train("ivf_tno", tmp_path, epochs=1)
    before = (tmp_path / "run/last.pth").read_bytes()
    capsys.readouterr()

    def measure(model):
        raise FloatingPointError("found NaN or infinity in the fused image of astronaut, expected finite values")

    monkeypatch.setattr(
        "utils.training.infrared_visible.without_reference", lambda *a: Validation(("val_loss",), -1, measure)
    )
    with pytest.raises(SystemExit) as stop:
        train("ivf_tno", tmp_path, "--resume", epochs=2)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert "validation after epoch 2: found NaN or infinity in the fused image of astronaut" in error
    assert "the last good checkpoint is" in error
    assert (tmp_path / "run/last.pth").read_bytes() == before


def test_weights_that_are_not_finite_are_not_saved(tmp_path, capsys, monkeypatch):
    original = torch.optim.Adam.step

    def step(self, *args):
        original(self, *args)
        self.param_groups[0]["params"][0].data.fill_(float("inf"))

    monkeypatch.setattr(torch.optim.Adam, "step", step)
    assert "found weights that are not finite" in refused("ivf_tno", tmp_path, capsys, "--save-every", 1)
    assert not (tmp_path / "run/last.pth").exists()


def test_a_gradient_that_is_not_finite_names_the_batch(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("torch.nn.utils.clip_grad_norm_", lambda *a, **k: torch.tensor(float("nan")))
    assert "found a gradient's norm of nan on " in refused("ivf_tno", tmp_path, capsys)


def test_settings_of_a_run_hold(tmp_path, capsys):
    train("ivf_tno", tmp_path, "--steps", 1)
    for option, value in (("clip", 1e-3), ("amp", "bf16"), ("ema", 0.9), ("seed", 1), ("hold-back", 1), ("lr", 1e-3)):
        message = refused("ivf_tno", tmp_path, capsys, "--resume", f"--{option}", value)
        assert f"found a run with {'samples' if option == 'hold-back' else option}" in message
    assert "found another base_rule" in refused("ivf_tno", tmp_path, capsys, "--resume", "--base-rule", "mean")
    assert "--weights: found beside --resume" in refused("ivf_tno", tmp_path, capsys, "--resume", "--weights", "x.pth")


@pytest.mark.parametrize("state", [{}, {"settings": {}}, {"settings": 3}])
def test_a_foreign_training_state(state, tmp_path, capsys):
    save_checkpoint(tmp_path / "w.pth", dcinn_ivf("max"), {"training": state})
    message = refused("ivf_tno", tmp_path, capsys, "--resume", tmp_path / "w.pth")
    assert "w.pth: found a " in message
    assert not (tmp_path / "run").exists()


def test_a_damaged_log(tmp_path, capsys):
    train("ivf_tno", tmp_path, "--steps", 1)
    (tmp_path / "run/train.csv").write_text("rubbish\n1\n")
    assert "train.csv: found no readable log" in refused("ivf_tno", tmp_path, capsys, "--resume")


def h5(path, gt=(4, 31, 32, 32), lr=(4, 31, 8, 8)):
    with h5py.File(path, "w") as file:
        for key, shape in {"GT": gt, "HSI_up": gt, "LRHSI": lr, "RGB": (gt[0], 3, *gt[2:])}.items():
            file[key] = RNG.random(shape).astype(np.float32)
    return path


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((4, 31, 45, 45), (4, 31, 15, 15)), "found patches of 45x45, expected even sides"),
        (((4, 31, 32, 32), (4, 31, 7, 7)), "LRHSI of 7x7, expected one whole ratio"),
        (((4, 31, 32, 40), (4, 31, 8, 8)), "expected one whole ratio"),
        (((4, 31, 32, 32), (4, 31, 32, 32)), "expected one whole ratio of 2 or more"),
        (((4, 31, 32, 32), (4, 31, 64, 64)), "expected one whole ratio"),
        (((4, 31, 32, 32), (4, 31, 0, 8)), "expected one whole ratio"),
        (((4, 31, 4, 4), (4, 31, 1, 1)), "expected even sides of at least 8"),
    ],
)
def test_prepared_patches_of_sides_that_cannot_be_trained_on(shapes, message, tmp_path, capsys):
    assert message in refused("hmf", tmp_path, capsys, "--data", h5(tmp_path / "t.h5", *shapes))


def pan(path, bands=4, side=32, count=4):
    with h5py.File(path, "w") as file:
        file["gt"], file["lms"] = (RNG.integers(0, 2047, (count, bands, side, side)) for _ in range(2))
        file["ms"] = RNG.integers(0, 2047, (count, bands, side // 4, side // 4))
        file["pan"] = RNG.integers(0, 2047, (count, 1, side, side))
    return path


def test_validation_files_fit_the_training_file(tmp_path, capsys):
    four, eight = pan(tmp_path / "four.h5"), pan(tmp_path / "eight.h5", 8)
    message = refused("ps", tmp_path, capsys, "--data", eight, "--val", four)
    assert "four.h5: found 4 bands, ratio 4, expected 8 bands, ratio 4 of the training data" in message
    assert "--hold-back: found 1 beside --val" in refused(
        "ps", tmp_path, capsys, "--data", four, "--val", four, "--hold-back", 1
    )
    train("ps", tmp_path / "w", "--data", four, "--steps", 1)
    weights = tmp_path / "w/run/last.pth"
    assert "found another bands" in refused("ps", tmp_path, capsys, "--data", eight, "--weights", weights)
    stack = {"ms": RNG.random((2, 4, 32, 32)), "pan": RNG.random((2, 128, 128))}
    scipy.io.savemat(tmp_path / "stack.mat", stack)
    assert "2 scenes without gt" in refused("ps", tmp_path, capsys, "--data", tmp_path / "stack.mat", "--bits", 1)


def test_the_rate_that_the_optimiser_has(tmp_path, monkeypatch):
    rates = []
    original = torch.optim.Adam.step
    monkeypatch.setattr(
        torch.optim.Adam, "step", lambda self, *a: (rates.append(self.param_groups[0]["lr"]), original(self, *a))[1]
    )
    train("ivf_tno", tmp_path, "--batch", 4, "--milestones", 1, 2, "--lr", 0.001, "--eval-every", 9, epochs=3)
    assert rates == [0.001, 0.0005, 0.00025]


def test_the_average_is_what_is_validated_and_kept_as_the_best(tmp_path):
    train("ivf_tno", tmp_path, "--ema", 0.5, "--lr", 1e-4)
    average = load_extra(tmp_path / "run/last.pth")["training"]["average"]
    best = load_pretrained(tmp_path / "run/best.pth").state_dict()
    assert all(torch.equal(best[name], value) for name, value in average.items())
    last = load_pretrained(tmp_path / "run/last.pth").state_dict()
    assert not all(torch.equal(best[name], last[name]) for name in best)
    train("ivf_tno", tmp_path / "other", "--lr", 1e-4)
    one, other = rows(tmp_path)[0], rows(tmp_path / "other")[0]
    assert one["loss"] == pytest.approx(other["loss"], rel=1e-6)
    assert one["val_loss"] != pytest.approx(other["val_loss"], rel=1e-9)


def test_which_value_is_better():
    up, down = (Validation(("m",), sign, None) for sign in (1, -1))
    assert up.improves(2, 1)
    assert not up.improves(1, 1)
    assert down.improves(1, 2)
    assert not down.improves(2, 1)
    assert up.improves(0, None)
    assert not up.improves(float("nan"), None)
    assert not down.improves(float("-inf"), 1)


def test_random_generators_go_on_where_they_were():
    state = random_state()
    first = (random.random(), np.random.rand(), torch.rand(1).item())  # noqa: NPY002
    set_random_state(state)
    assert (random.random(), np.random.rand(), torch.rand(1).item()) == first  # noqa: NPY002


def test_mixed_precision_is_used(tmp_path, monkeypatch):
    seen = []
    original = StructureObjective.forward

    def forward(self, a, b):
        seen.append(torch.is_autocast_enabled("cpu"))
        return original(self, a, b)

    monkeypatch.setattr(StructureObjective, "forward", forward)
    train("ivf_tno", tmp_path, "--amp", "bf16", "--steps", 1)
    assert seen == [True]


def test_a_limit_of_steps_that_is_reached_already(tmp_path):
    train("ivf_tno", tmp_path, "--batch", 1, "--steps", 2)
    train("ivf_tno", tmp_path, "--batch", 1, "--steps", 1, "--resume")
    assert load_extra(tmp_path / "run/last.pth")["training"]["total"] == 2


def test_bad_samples_are_counted_once(tmp_path, capsys):
    file = pan(tmp_path / "t.h5", count=5)
    with h5py.File(file, "r+") as handle:
        handle["gt"][2] = 9999
    train("ps", tmp_path, "--data", file, "--batch", 5, "--skip-bad")
    assert "; 1 bad samples" in capsys.readouterr().out


def test_an_output_that_is_a_file(tmp_path, capsys):
    (tmp_path / "run").write_text("")
    assert "run: found a file, expected a folder" in refused("ivf_tno", tmp_path, capsys)
