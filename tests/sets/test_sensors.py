"""Sensors by name, and a sensor of one's own by the gains of its MTF."""

import numpy as np
import pytest
import torch
from golden_inputs import image
from scipy.io import savemat

import test_dcinn_ps
import train_dcinn_ps
from data.simulate import mtf_kernels, wald
from metrics.sensors import ms_gains, pan_gain
from utils.commandline.parser import sensor

GEOEYE = "0.23,0.23,.23,0.23:.16"


def response(kernel):
    """Of a (41, 41) kernel near the Nyquist frequency of an image of a quarter of the resolution: 5/41, for 1/8."""
    phase = np.cos(2 * np.pi * 5 / 41 * (np.arange(41) - 20))
    return float((kernel * phase).sum() / kernel.sum())


def test_names_and_numbers():
    assert ms_gains(GEOEYE) == ms_gains("GeoEye1") == (0.23,) * 4
    assert pan_gain(GEOEYE) == pan_gain("geoeye1") == 0.16
    assert ms_gains("0.3") == (0.3,)
    assert ms_gains("none") is None
    assert pan_gain("0.3,0.2") == pan_gain("none") == 0.15
    for name in ("WorldView-3, tile 5", "3,4", "0.0,0.3", "scene:1"):  # what a file may call its sensor
        assert ms_gains(name) is None


def test_a_kernel_has_the_gain_at_nyquist():
    kernels = mtf_kernels("0.2,0.3,0.4", 3)
    assert [response(k) for k in kernels] == pytest.approx([0.2, 0.3, 0.4], abs=0.02)


def test_numbers_degrade_as_the_name():
    ms = image("ps.lms", (1, 8, 48, 64))[0, :4].transpose(1, 2, 0).astype(float)
    pan = image("ps.pan", (1, 1, 192, 256))[0, 0].astype(float)
    named, spelled, other = (wald(ms, pan, sensor=sensor) for sensor in ("GeoEye1", GEOEYE, "0.3,0.3,0.3,0.3:0.16"))
    for key, value in named.items():
        assert np.array_equal(value, spelled[key])
    assert not np.array_equal(named["ms"], other["ms"])
    assert np.array_equal(named["pan"], other["pan"])


def test_the_scripts_take_it_and_say_it(tmp_path, capsys):
    rng = np.random.default_rng(0)
    ms, pan = (rng.integers(1, 2000, shape).astype(float) for shape in ((32, 32, 4), (128, 128)))
    savemat(tmp_path / "a.mat", {"I_MS_LR": ms, "I_PAN": pan})
    common = ["--data", str(tmp_path / "a.mat"), "--sensor"]
    run = ["--output", str(tmp_path / "out"), "--weights", "untrained", "--resolution", "reduced"]
    torch.manual_seed(0)
    test_dcinn_ps.main([*common, GEOEYE, *run])
    assert GEOEYE in (tmp_path / "out/metrics.md").read_text()
    for script, words in ((test_dcinn_ps, "expected 3"), (train_dcinn_ps, "IKONOS, GEOEYE1, none, or gains as")):
        with pytest.raises(SystemExit) as stop:
            script.main(
                [
                    *common,
                    "0.2,0.2,0.2" if script is test_dcinn_ps else "0.2;0.3",
                    *run[: 6 if script is test_dcinn_ps else 2],
                ]
            )
        assert stop.value.code == 2
        assert words in capsys.readouterr().err


@pytest.mark.parametrize("typo", ["WV9", "worldview3", "", "0.2;0.3"])
def test_a_sensor_that_nobody_knows(typo, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        test_dcinn_ps.main(["--data", str(tmp_path / "none.mat"), "--sensor", typo])
    assert stop.value.code == 2
    assert f"--sensor: found '{typo}', expected WV2, WV3" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["wv3", "GF2", "none", "0.3,0.2:0.1"])
def test_sensors_that_the_options_know(name):
    assert sensor(name) == {"wv3": "WV3"}.get(name, name)
