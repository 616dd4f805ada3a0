"""--limit of `python -m metrics`: what a test script's --limit run wrote is scored as it scored itself."""

import h5py
import numpy as np
from document_commands import cave
from outputs import pairs
from scoring import RNG, refused, run

import test_dcinn_hmf
import test_dcinn_ivf_tno
import test_dcinn_ps

COMMON = ("--weights", "untrained", "--limit", "2")


def row(result, table=0):
    values = result["tables"][table]["values"]
    return next(iter(values.values())), result["tables"][table]["images"]


def check(script, task, data, out, fused, *options):
    expected = script.main([str(o) for o in ("--data", data, "--output", out, *COMMON)])
    given = ("--task", task, "--data", data, "--fused", out / fused, *options)
    found = run(*given, "--limit", 2)
    assert row(found)[1] == row(expected)[1]
    assert len(row(found)[1]) == 2
    for metric, values in row(expected)[0].items():
        assert np.allclose(np.array(row(found)[0][metric], float), np.array(values, float), 1e-4, 1e-6, True), metric
    return given


def test_ivf(tmp_path, capsys):
    pairs(tmp_path / "set", "a", "b", "c")
    given = check(test_dcinn_ivf_tno, "ivf", tmp_path / "set", tmp_path / "out", "fused")
    capsys.readouterr()
    assert "no image named c" in refused(capsys, *given)


def test_ps(tmp_path, capsys):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        gt = RNG.integers(1, 2000, (3, 4, 64, 64)).astype(np.float32)
        file["gt"], file["lms"], file["ms"], file["pan"] = gt, gt, gt[..., ::4, ::4], gt[:, :1]
    given = check(test_dcinn_ps, "ps", tmp_path / "a.h5", tmp_path / "out", "reduced")
    capsys.readouterr()
    assert "expected all 3 names" in refused(capsys, *given)


def test_hmf(tmp_path):
    cave(tmp_path / "set")
    check(test_dcinn_hmf, "hmf", tmp_path / "set", tmp_path / "out", "fused", "--ratio", 4)
