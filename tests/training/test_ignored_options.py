"""Options that prepared patches, or the embedded sample, leave nothing to do for are refused; what is printed is so."""

import json

import h5py
import numpy as np
import pytest
from small_trainings import SCRIPTS, train

RNG = np.random.default_rng(4)


def spectral(path, height=32, width=32, ratio=8):
    with h5py.File(path, "w") as file:
        for key, bands, scale in (("GT", 31, 1), ("HSI_up", 31, 1), ("LRHSI", 31, ratio), ("RGB", 3, 1)):
            file[key] = RNG.random((4, bands, height // scale, width // scale)).astype(np.float32)
    return path


def pan(path, height=32, width=32):
    with h5py.File(path, "w") as file:
        for key, bands, scale in (("gt", 4, 1), ("lms", 4, 1), ("ms", 4, 4), ("pan", 1, 1)):
            file[key] = RNG.integers(0, 2047, (4, bands, height // scale, width // scale))
    return path


MAKERS = {"ps": pan, "hmf": spectral}


def refused(name, folder, capsys, *options):
    with pytest.raises(SystemExit) as stop:
        SCRIPTS[name].main([str(o) for o in (*options, "--output", folder / "run", "--epochs", 1)])
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert error.count("\n") == 1, error
    assert not (folder / "run").exists()
    return error


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("ps", ("--patch", 64), "--patch: found 64 for {}, whose patches are of 32, expected none"),
        ("ps", ("--stride", 16), "--stride: found for {}, which holds patches, expected for a scene only"),
        ("hmf", ("--patch", 64), "--patch: found 64 for {}, whose patches are of 32, expected none"),
        ("hmf", ("--stride", 16), "--stride: found for {}, which holds patches, expected for scenes only"),
        ("hmf", ("--bits", 12), "--bits: found for {}, which holds patches, expected for scenes only"),
        ("hmf", ("--scenes", "a"), "--scenes: found for {}, which holds patches, expected for scenes only"),
        ("hmf", ("--ratio", 4), "--ratio: found 4 for {}, whose patches have 8, expected none"),
    ],
)
def test_of_prepared_patches(name, options, message, tmp_path, capsys):
    file = MAKERS[name](tmp_path / "t.h5")
    assert message.format(file) in refused(name, tmp_path, capsys, "--data", file, *options)


@pytest.mark.parametrize(
    ("name", "option"),
    [*(("ps", o) for o in ("rows", "stride", "bits", "sensor")), *(("hmf", o) for o in ("bits", "scenes"))],
)
def test_of_the_embedded_sample(name, option, tmp_path, capsys):
    value = {"rows": "0:8", "sensor": "QB", "scenes": "a"}.get(option, "8")
    message = f"--{option}: found without --data, expected with it"
    assert message in refused(name, tmp_path, capsys, f"--{option}", value)


@pytest.mark.parametrize(
    ("name", "width", "options", "said"),
    [
        ("ps", 32, ("--patch", 32), 32),
        ("ps", 48, (), "32x48"),
        ("hmf", 32, ("--patch", 32, "--ratio", 8), 32),
        ("hmf", 48, ("--recipe", "paper"), "32x48"),
    ],
)
def test_the_side_of_prepared_patches_is_what_is_printed_and_kept(name, width, options, said, tmp_path, capsys):
    file = MAKERS[name](tmp_path / "t.h5", 32, width)
    folder = ("--output", tmp_path / "run", "--epochs", 1, "--batch", 4, "--steps", 1)
    SCRIPTS[name].main([str(o) for o in ("--data", file, *options, *folder)])
    assert f"(patch {said})" in capsys.readouterr().out
    settings = json.loads((tmp_path / "run/run.json").read_text())["settings"]
    assert settings["patch"] == said
    assert settings["ratio"] == (8 if name == "hmf" else None)


def test_the_side_of_a_recipe_is_kept_too(tmp_path, capsys):
    train("ps", tmp_path, "--steps", 1)
    assert "(patch 32)" in capsys.readouterr().out
    assert json.loads((tmp_path / "run/run.json").read_text())["settings"]["patch"] == 32
