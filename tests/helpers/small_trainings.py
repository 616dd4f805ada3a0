"""Helpers of the training tests: the scripts at a size of seconds."""

import csv

import pytest

import train_dcinn_hmf
import train_dcinn_ivf_rs
import train_dcinn_ivf_tno
import train_dcinn_ps

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


def train(name, folder, *options, epochs=1):
    common = ("--output", folder / "run", "--epochs", epochs)
    prepared = name == "hmf" and any(str(option).endswith(".h5") for option in options)
    small = SMALL[name][:4] if prepared else SMALL[name]  # prepared patches have no stride
    return SCRIPTS[name].main([str(o) for o in (*small, *common, *options)])


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
