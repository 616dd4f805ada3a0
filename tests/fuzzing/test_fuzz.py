"""Damaged and strange files for every reader: a short run over every kind, and what counts as a failure."""

import tempfile

import numpy as np
import pytest

from data.files.band_images import Cubes
from utils.commandline.errors import UsageError

pytest.importorskip("resource", reason="processes are limited as Unix does it")
from tests.fuzzing import __main__ as fuzz
from tests.fuzzing import readers, workers
from tests.fuzzing.kinds import KINDS
from tests.fuzzing.workers import Worker

FEW = {kind: 3 if kind.endswith(".pth") or kind == "bombs" else 12 for kind in KINDS}


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("worker")
    with Worker(folder / "own", folder / "mark") as made:
        yield made


def failures(kind, inputs, worker, folder):
    counts, found = fuzz.fuzz(kind, inputs, 1, worker, folder)
    assert counts["inputs"] == inputs
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_input_is_read_or_refused_in_one_line(kind, worker, tmp_path):
    assert failures(kind, FEW[kind], worker, tmp_path) == {}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_more_inputs(kind, worker, tmp_path):
    assert failures(kind, 20 * FEW[kind], worker, tmp_path) == {}


def test_a_process_that_ends_or_hangs_is_counted(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.ones((4, 4)))
    with Worker(tmp_path / "own", tmp_path / "mark") as worker:
        assert worker.judge("cubes", path).kind == "read"
        assert worker.judge("cubes", tmp_path / "none.npy").kind == "refused"
        assert "KeyError" in worker.judge("no such reader", path).why
        worker.process.kill()
        assert "signal 9" in worker.judge("cubes", path).why
        assert worker.judge("cubes", path).kind == "read", "started again"
        worker.seconds = 0.0
        assert worker.judge("cubes", path).why.startswith("no end")


def raising(message):
    raise UsageError(message)


@pytest.mark.parametrize(
    ("reader", "why"),
    [
        (lambda p: p.with_name("mark").touch(), "code in the file was run"),
        (lambda p: (p.parent / "temporary/left").touch(), "files left: ['left']"),
        (lambda p: p.with_name("noise").write_text("libpng error"), "noise: 'libpng error'"),
        (lambda p: np.ones(3 * 2**26).sum(), "GiB of memory taken"),
        (lambda p: {}[p], "KeyError"),
        (lambda p: Cubes(p.with_name("other")), "a message without the file"),
        (lambda p: raising(f"{p}: a\nb"), "more than a line"),
        (lambda p: raising(f"{p}: {'long ' * 999}"), "a message of"),
    ],
)
def test_what_a_reader_must_not_do(reader, why, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    (tmp_path / "noise").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setitem(readers.READERS, "bad", reader)
    verdict = workers._judged("bad", tmp_path / "file", tmp_path / "noise", tmp_path / "mark")
    assert verdict.kind == "failed"
    assert why in verdict.why


def test_one_seed_gives_the_same_inputs(tmp_path):
    made = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        inputs = fuzz.Inputs("scene.mat v5", 3, tmp_path / folder, tmp_path / "mark")
        for number in range(1, 20):
            inputs.write(tmp_path / folder / f"{number}.mat", number, fuzz.heads(3, tmp_path))
        made.append([(tmp_path / folder / f"{number}.mat").read_bytes() for number in range(1, 20)])
    assert made[0] == made[1]
    assert len(set(made[0])) > 15
