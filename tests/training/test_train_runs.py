"""Training runs that meet bad data, wrong options and earlier runs; what they log."""

import functools
import math
import sys

import cv2
import h5py
import numpy as np
import pytest
import torch
from small_trainings import refused, rows, train

from data.samples import sample_hyperspectral
from models import load_pretrained
from utils.training.arguments import TrainingArguments
from utils.training.compilation import mode_or_plain
from utils.training.parser import check
from utils.training.validation import with_reference


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
    assert "1 pair held back" in said
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
        ("ps", ("--patch", 4), "--patch: found 4, expected at least 8"),
        ("hmf", ("--patch", 4, "--ratio", 2), "--patch: found 4, expected at least 8"),
        ("ivf_tno", ("--patch", 8), "--patch: found 8, expected at least 16"),
        ("ps", ("--patch", 256), "expected at least a patch of 256"),
        ("hmf", ("--stride", 3), "expected multiples of the ratio 4"),
        ("ivf_tno", ("--patch", 999), "expected at least a crop of 999"),
        ("ivf_tno", ("--hold-back", 4), "--hold-back: found 4 of 4 samples"),
        ("ivf_tno", ("--amp", "fp16"), "--amp fp16: found a CPU"),
        ("ivf_tno", ("--lr", "x"), "found x, expected a number"),
        ("ivf_tno", ("--lr", "-1"), "expected a number over 0"),
        ("ivf_tno", ("--workers", 3000), "--workers: found 3000, expected 0 to 128"),
        ("ivf_tno", ("--hold-back", -1), "--hold-back: found -1, expected 0 or more"),
        ("ivf_tno", ("--ema", "1"), "from 0 to under 1"),
        ("ivf_tno", ("--resume",), "last.pth: found no such file"),
    ],
)
def test_options_that_do_not_fit(name, options, message, tmp_path, capsys):
    assert message in refused(name, tmp_path, capsys, *options)
    assert not (tmp_path / "run").exists(), "nothing is written"


def test_the_least_patches_are_taken():
    for patch, on_grid in ((8, True), (16, False)):
        check(TrainingArguments(patch=patch), torch.device("cpu"), on_grid)


def test_a_run_that_goes_on_with_other_data_says_so(roadscene, tmp_path, capsys):
    options = ("--hold-back", 1, "--batch", 1, "--steps", 1)
    train("ivf_rs", tmp_path, "--data", roadscene, *options)
    train("ivf_rs", tmp_path, "--data", roadscene, *options, "--resume")
    assert "note: run.json names" not in capsys.readouterr().out
    other = roadscene.rename(tmp_path / "other")
    train("ivf_rs", tmp_path, "--data", other, *options, "--resume")
    assert f"note: run.json names the data {roadscene}" in capsys.readouterr().out


def test_an_earlier_run_is_not_overwritten(tmp_path, capsys):
    train("ivf_tno", tmp_path)
    before = (tmp_path / "run/last.pth").read_bytes()
    assert "found an earlier run, expected --resume or another --output" in refused("ivf_tno", tmp_path, capsys)
    assert "found a run with lr 5e-05, expected 0.1" in refused("ivf_tno", tmp_path, capsys, "--resume", "--lr", "0.1")
    assert (tmp_path / "run/last.pth").read_bytes() == before
    best = tmp_path / "run/best.pth"
    assert "found another run than" in refused("ivf_tno", tmp_path, capsys, "--resume", best)
    assert "without a training state" in refused("ivf_tno", tmp_path / "x", capsys, "--resume", best)
    (tmp_path / "run/last.pth").unlink()
    assert "best.pth: found an earlier run" in refused("ivf_tno", tmp_path, capsys)


def board_of(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(folder / "run/tensorboard"))
    board.Reload()
    return board


def test_tensorboard_has_scalars_images_and_the_configuration(tmp_path):
    train("ivf_tno", tmp_path)
    board = board_of(tmp_path)
    tags = board.Tags()
    assert {"epoch/loss", "epoch/val_loss", "epoch/lr", "step/loss"} <= set(tags["scalars"])
    assert "fused/astronaut" in tags["images"]
    assert tags["tensors"] == ["config/text_summary"]
    assert math.isclose(board.Scalars("epoch/val_loss")[0].value, rows(tmp_path)[0]["val_loss"], rel_tol=1e-5)


def test_a_resumed_run_leaves_no_step_twice_and_no_half_written_file(tmp_path, monkeypatch):
    """Steps that were logged after the last checkpoint are logged again; TensorBoard forgets the first time."""
    train("ivf_tno", tmp_path, "--steps", 3, "--batch", 1, epochs=2)
    state = (tmp_path / "run/last.pth").read_bytes()
    train("ivf_tno", tmp_path, "--resume", "--batch", 1, "--steps", 6, epochs=2)
    (tmp_path / "run/last.pth").write_bytes(state)  # as if killed after step 6, with the checkpoint of step 3
    (tmp_path / "run/.last.pth.abcd_123.part").write_bytes(b"half")
    train("ivf_tno", tmp_path, "--resume", "--batch", 1, epochs=2)
    board = board_of(tmp_path)
    assert [event.step for event in board.Scalars("step/loss")] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [event.step for event in board.Scalars("epoch/val_loss")] == [4, 8]
    assert [row["epoch"] for row in rows(tmp_path)] == [0, 1]
    assert not list((tmp_path / "run").glob(".*"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ps", "ivf_tno"])
def test_compiled_training_gives_the_same_loss(name, tmp_path, monkeypatch):
    """The graphs that --compile makes, run as they are: generating code from them takes ten minutes of two cores."""
    modes, eager = [], functools.partial(torch.compile, backend="aot_eager")
    monkeypatch.setattr(torch, "compile", lambda step, mode: modes.append(mode) or eager(step, mode=mode))
    monkeypatch.setenv("CXX", sys.executable)  # no compiler is called
    for folder, options in ((tmp_path / "plain", ()), (tmp_path / "compiled", ("--compile",))):
        train(name, folder, "--steps", 2, "--batch", 2, *options)
    plain, compiled = (
        [event.value for event in board_of(tmp_path / kind).Scalars("step/loss")] for kind in ("plain", "compiled")
    )
    assert modes == ["default"]
    assert compiled == pytest.approx(plain, rel=1e-4)


@pytest.mark.parametrize(("variable", "device"), [("CXX", "cpu"), ("CC", "cuda")])
def test_compile_without_a_compiler_goes_on_without(variable, device, monkeypatch, capsys):
    """As Inductor and Triton call it: a variable that is set is the name of one program, without options."""
    monkeypatch.setenv("PATH", "")
    for wrong in ("no-such-compiler", f"{sys.executable} -O2", ""):
        monkeypatch.setenv(variable, wrong)
        assert mode_or_plain("default", torch.device(device)) is None
        assert f"note: --compile: found ${variable} '{wrong}', which is no program" in capsys.readouterr().out
    monkeypatch.setenv(variable, sys.executable)
    assert mode_or_plain("default", torch.device(device)) == "default"
    assert mode_or_plain(None, torch.device(device)) is None


@pytest.mark.parametrize(
    ("platform", "device", "program"),
    [("linux", "cpu", "g++"), ("darwin", "cpu", "clang++"), ("win32", "cpu", "cl"), ("linux", "cuda", "clang")],
)
def test_compile_takes_the_compiler_of_the_system(platform, device, program, monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert mode_or_plain("default", torch.device(device)) is None
    assert program in capsys.readouterr().out
    monkeypatch.setattr("shutil.which", lambda name: name if name == program else None)
    assert mode_or_plain("default", torch.device(device)) == "default"


def test_a_training_without_a_compiler(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CXX", "")
    train("ivf_tno", tmp_path, "--steps", 1, "--compile")
    assert "note: --compile: found $CXX ''" in capsys.readouterr().out
    assert (tmp_path / "run/last.pth").exists()


def test_a_network_that_goes_astray_has_a_low_psnr():
    scene = sample_hyperspectral()[0]["gt"][:, :32, :32]
    item = {"name": "a", "gt": scene, "base_image": scene, "guide": scene[:3]}
    measured = with_reference([item], 4, ("itself", "base_image"))

    class Louder(torch.nn.Module):
        def __init__(self, factor):
            super().__init__()
            self.factor = torch.nn.Parameter(torch.tensor(float(factor)))

        def forward(self, a, b):
            return a * self.factor.detach()

    def psnr_of(factor):
        return measured.measure(Louder(factor))[0]["PSNR"]

    assert psnr_of(1e6) < psnr_of(2) < psnr_of(1.1)
