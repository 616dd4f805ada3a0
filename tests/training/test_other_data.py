"""A run goes on with the data it began with, wherever they lie, and with no others."""

import h5py
import numpy as np
import pytest
import torch
from small_trainings import refused, train

from data.errors import DataError
from utils.training.fingerprint import fingerprint, is_same


def scene(path, seed):
    rng = np.random.default_rng(seed)
    with h5py.File(path, "w") as file:
        file["ms"] = rng.integers(200, 900, (4, 32, 32)).astype(np.float32)
        file["pan"] = rng.integers(200, 900, (128, 128)).astype(np.float32)
    return path


@pytest.fixture
def begun(tmp_path):
    """The options of a run of one epoch."""
    options = ("--data", scene(tmp_path / "s.h5", 1), "--patch", 16, "--sensor", "none")
    train("ps", tmp_path, *options)
    return options


def test_replaced_data_are_refused(begun, tmp_path, capsys):
    before = (tmp_path / "run/last.pth").read_bytes()
    scene(tmp_path / "s.h5", 2)
    words = "found a run on other data of the same size, expected the same data"
    assert words in refused("ps", tmp_path, capsys, *begun, "--resume")
    assert (tmp_path / "run/last.pth").read_bytes() == before


@pytest.mark.parametrize(("option", "words"), [(("--bits", 12), "bits None"), (("--sensor", "QB"), "sensor none")])
def test_what_changes_the_numbers_is_refused_by_its_name(option, words, begun, tmp_path, capsys):
    assert f"found a run with {words}" in refused("ps", tmp_path, capsys, *begun, *option, "--resume")


def test_another_stride_is_refused_even_where_it_gives_the_same_patches(begun, tmp_path, capsys):
    train("ps", tmp_path / "other", *begun, "--stride", 16)
    message = refused("ps", tmp_path / "other", capsys, *begun, "--stride", 20, "--resume")
    assert "found a run with stride 16, expected 20, as asked for now" in message


def test_data_that_were_moved_are_the_same(begun, tmp_path, capsys):
    (tmp_path / "s.h5").rename(tmp_path / "moved.h5")
    train("ps", tmp_path, "--data", tmp_path / "moved.h5", *begun[2:], "--resume", epochs=2)
    assert "note: run.json names the data" in capsys.readouterr().out


def test_runs_of_earlier_versions_go_on(begun, tmp_path):
    content = torch.load(tmp_path / "run/last.pth", weights_only=True)
    for name in ("bits", "sensor", "ratio", "scenes", "data"):
        del content["extra"]["training"]["settings"][name]
    torch.save(content, tmp_path / "run/last.pth")
    train("ps", tmp_path, *begun, "--resume", epochs=2)


@pytest.mark.parametrize("damaged", [None, "x", [1, 2], [0.5], [], ["a"] * 24, [[0.5]] * 24])
def test_a_damaged_fingerprint_is_another_one(damaged):
    assert not is_same(damaged, [0.5] * 24)


def test_a_fingerprint_does_not_hang_on_the_last_digit():
    class Set:
        def __init__(self, shift):
            self.shift = shift

        def __len__(self):
            return 20

        def sample(self, index, rng):
            return {"name": str(index), "gt": rng.random((3, 8, 8)) + self.shift, "guide": np.full((1, 8, 8), 0.2)}

        def broken(self, index):
            if index == 0:
                raise DataError("0", "nothing", "a sample")

    class Broken(Set):
        def sample(self, index, rng):
            self.broken(index)
            return super().sample(index, rng)

    assert len(fingerprint(Set(0))) == 16
    assert len(fingerprint(Broken(0))) == 14
    assert is_same(fingerprint(Set(0)), fingerprint(Set(1e-6)))
    assert not is_same(fingerprint(Set(0)), fingerprint(Set(1e-3)))
