"""Small trainings that die at a chosen place, compared with one that ran through."""

import pytest
import torch
from small_trainings import rows, train

ONE = ("--batch", 1, "--patch", 16, "--save-every", 3)  # eight steps in two epochs: last.pth after 3, 4, 6, 8


class Killed(BaseException):
    """Nothing in a training catches it."""


def dies(monkeypatch, folder, at, *options, epochs=2):
    """Begin a run that ends at `at`, a function of a module or class, before it has done anything."""

    def kill(*_, **__):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(*at, kill)
        with pytest.raises(Killed):
            train("ivf_tno", folder, *ONE, *options, epochs=epochs)


def same(one, other):
    a, b = (torch.load(folder / "run/last.pth", weights_only=True) for folder in (one, other))
    assert all(torch.equal(a["model"][name], b["model"][name]) for name in a["model"])
    assert a["extra"]["training"]["total"] == b["extra"]["training"]["total"]
    logs = [[{k: v for k, v in row.items() if k != "seconds"} for row in rows(folder)] for folder in (one, other)]
    assert logs[0] == logs[1]
