"""Helpers and small sets of the score command's tests."""

import numpy as np
import pytest

from utils.commandline.errors import single_line_errors
from utils.evaluation import score

RNG = np.random.default_rng(6)


def run(*options):
    return score.run([str(o) for o in options])


def values(result, table=0):
    return {m: {k: v[0] for k, v in row.items()} for m, row in result["tables"][table]["values"].items()}


def refused(capsys, *options):
    with pytest.raises(SystemExit) as stop:
        single_line_errors(score.run, program="python -m metrics")([str(o) for o in options])
    captured = capsys.readouterr()
    assert stop.value.code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def ivf(folder, *options):
    return ("--task", "ivf", "--fused", folder / "f", "--infrared", folder / "ir", "--visible", folder / "vi", *options)
