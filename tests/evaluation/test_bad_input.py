"""Bad scenes and weights at the door of the scripts: one clear line, exit code 2, nothing written."""

import h5py
import numpy as np
import pytest
import torch
from bad_files import cave, checkpoint, gray, h5, huge_kernel, mat, nan_gt, refused, scene, truncated, written
from outputs import snapshot

import test_dcinn_hmf
import test_dcinn_ivf_tno
import test_dcinn_ps
from data.simulate import spectral_response
from models import dcinn_hmf, dcinn_ivf, dcinn_ps

SCRIPTS = {"ps": test_dcinn_ps, "hmf": test_dcinn_hmf, "tno": test_dcinn_ivf_tno}
MS, PAN = np.full((8, 8, 8), 500, np.uint16), np.full((32, 32), 500, np.uint16)
SRF = spectral_response()

# what is wrong -> script, options made in a folder, words of the line
CASES = {
    "a tile of 7": ("ps", lambda t: ["--tile", "7"], ["--tile", "at least 32"]),
    "a limit of words": ("ps", lambda t: ["--limit", "few"], ["--limit", "found few"]),
    "a series that diverges": (
        "ps",
        lambda t: ["--weights", checkpoint(t, huge_kernel()), "--exact"],
        ["no convergence"],
    ),
    "no such file": ("ps", lambda t: ["--data", t / "none.h5"], ["none.h5", "no such file"]),
    "truncated H5": ("ps", lambda t: ["--data", truncated(h5(t))], ["test.h5", "truncated"]),
    "text named .h5": ("ps", lambda t: ["--data", written(t / "a.h5")], ["a.h5", "no readable HDF5"]),
    "text named .mat": ("ps", lambda t: ["--data", written(t / "a.mat")], ["a.mat", "no readable HDF5 or MATLAB"]),
    "missing pan": ("ps", lambda t: ["--data", h5(t, pan=None)], ["gt, lms, ms", "expected pan"]),
    "missing ms and lms": ("ps", lambda t: ["--data", h5(t, ms=None, lms=None)], ["gt, pan", "ms (I_MS_LR"]),
    "swapped axes": (
        "ps",
        lambda t: ["--data", h5(t, ms=None, gt=None, lms=np.zeros((2, 8, 48, 32)), pan=np.zeros((2, 1, 32, 48)))],
        ["(2, 8, 48, 32)", "swapped", "32x48"],
    ),
    "unequal counts": (
        "ps",
        lambda t: ["--data", h5(t, gt=np.zeros((3, 8, 32, 32)))],
        ["3 images in gt", "2 as in pan"],
    ),
    "unequal bands": (
        "ps",
        lambda t: ["--data", h5(t, gt=np.zeros((2, 4, 32, 32)))],
        ["4 bands in gt", "8 bands in lms"],
    ),
    "sides of no whole ratio": ("ps", lambda t: ["--data", h5(t, ms=np.zeros((2, 8, 7, 8)))], ["ms of shape", "ratio"]),
    "rank of three": ("ps", lambda t: ["--data", h5(t, gt=np.zeros((8, 32, 32)))], ["(8, 32, 32)", "(N, B, H, W)"]),
    "NaN in a row": ("ps", lambda t: ["--data", h5(t, gt=nan_gt())], ["test.h5: gt[1]", "NaN"]),
    "over 11 bits": ("ps", lambda t: ["--data", h5(t, pan=scene()["pan"] * 4)], ["pan[0]", "0 to 2047", "11 bits"]),
    "already scaled": (
        "ps",
        lambda t: ["--data", h5(t, **{k: v / 2047 for k, v in scene().items()})],
        ["already scaled"],
    ),
    "a sensor of other bands": (
        "ps",
        lambda t: ["--data", mat(t, I_MS=MS[..., :4], I_PAN=PAN), "--sensor", "WV3", "--resolution", "reduced"],
        ["4 bands", "8 of sensor WV3"],
    ),
    "too small to reduce": (
        "ps",
        lambda t: ["--data", mat(t, I_MS=MS[:3, :3], I_PAN=PAN[:12, :12]), "--resolution", "reduced"],
        ["ms of 3x3", "at least 4", "--resolution full"],
    ),
    "a bit depth of NaN": (
        "ps",
        lambda t: ["--data", mat(t, I_MS=MS, I_PAN=PAN, L=np.nan)],
        ["depth of nan", "1 to 32"],
    ),
    "one band": (
        "ps",
        lambda t: ["--weights", "untrained", "--data", mat(t, I_MS=MS[..., :1], I_PAN=PAN)],
        ["bands of ps", "found 1"],
    ),
    "an empty dataset": ("ps", lambda t: ["--data", h5(t, pan=h5py.Empty("f4"))], ["gt, lms, ms", "expected pan"]),
    "options without data": ("ps", lambda t: ["--sensor", "QB"], ["--sensor", "without --data"]),
    "12 bits taken for 16": (
        "hmf",
        lambda t: ["--data", cave(t, image=gray(16, 16, np.uint16) * 16)],
        ["toy_ms", "samples up to", "--bits"],
    ),
    "full resolution of a reduced file": ("ps", lambda t: ["--data", h5(t), "--resolution", "full"], ["has gt"]),
    "no such weights": ("ps", lambda t: ["--weights", t / "none.pth"], ["none.pth", "no such file"]),
    "unknown name of weights": ("ps", lambda t: ["--weights", "nobody"], ["nobody", "pretrained/"]),
    "truncated weights": (
        "ps",
        lambda t: ["--weights", truncated(checkpoint(t, dcinn_ps(8)))],
        ["no readable checkpoint"],
    ),
    "no weights in the file": (
        "tno",
        lambda t: ["--weights", written(t / "w.pth")],
        ["w.pth", "no readable checkpoint"],
    ),
    "weights of another network": (
        "tno",
        lambda t: ["--weights", torch.save({"conv.weight": torch.zeros(3)}, t / "w.pth") or t / "w.pth"],
        ["w.pth", "conv.weight", "names of a DCINN"],
    ),
    "weights of another task": ("ps", lambda t: ["--weights", checkpoint(t, dcinn_ivf())], ["for ivf", "one for ps"]),
    "weights of other bands": (
        "ps",
        lambda t: ["--weights", checkpoint(t, dcinn_ps(4))],
        ["8 bands", "4 of the weights"],
    ),
    "weights of another camera": (
        "hmf",
        lambda t: [
            "--weights",
            checkpoint(t, dcinn_hmf(31, srf=SRF[::-1].copy())),
            "--srf",
            np.save(t / "s.npy", SRF) or t / "s.npy",
        ],
        ["weights.pth", "another spectral response"],
    ),
    "a response of text": ("hmf", lambda t: ["--srf", written(t / "s.csv")], ["s.csv", "table of numbers"]),
    "a complex response": (
        "hmf",
        lambda t: ["--srf", np.save(t / "s.npy", SRF + 0j) or t / "s.npy"],
        ["s.npy", "numbers"],
    ),
    "a response the wrong way round": (
        "hmf",
        lambda t: ["--srf", np.savetxt(t / "s.csv", SRF.T, delimiter=",") or t / "s.csv"],
        ["s.csv", "(3, 31)", "swapped"],
    ),
    "a response that is not normalised": (
        "hmf",
        lambda t: ["--srf", np.save(t / "s.npy", SRF * 3) or t / "s.npy"],
        ["s.npy", "summing to 3"],
    ),
    "a missing band": ("hmf", lambda t: ["--data", cave(t, bands=30)], ["toy_ms", "30 bands, lacking 31"]),
    "no scenes": ("hmf", lambda t: ["--data", t], ["no scenes", "_ms_01.png"]),
    "unknown scene": ("hmf", lambda t: ["--data", cave(t), "--scenes", "moon"], ["no scene moon", "one of toy"]),
    "8-bit bands": ("hmf", lambda t: ["--data", cave(t, image=gray(16, 16))], ["toy_ms_01.png", "uint8", "16 bits"]),
    "bands over 12 bits": (
        "hmf",
        lambda t: [
            "--data",
            cave(t, image=gray(16, 16, np.uint16), odd_band=np.full((16, 16), 5000, np.uint16)),
            "--bits",
            "12",
        ],
        ["toy_ms_07.png", "5000", "12 bits"],
    ),
    "bands of unequal size": (
        "hmf",
        lambda t: ["--data", cave(t, odd_band=gray(16, 18, np.uint16))],
        ["toy_ms_07.png", "16x18", "16x16"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_exit_two_nothing_written(case, tmp_path, capfd, monkeypatch):
    script, make, words = CASES[case]
    monkeypatch.chdir(tmp_path)
    refused(SCRIPTS[script].main, make, words, tmp_path, capfd, case != "a series that diverges")


def test_results_of_an_earlier_run_survive_a_failed_one(tmp_path, capfd):
    data = h5(tmp_path)
    options = ["--data", str(data), "--output", str(tmp_path / "results")]
    test_dcinn_ps.main([*options, "--limit", "1"])
    before = snapshot(tmp_path / "results")
    data = h5(tmp_path, gt=nan_gt())
    with pytest.raises(SystemExit):
        test_dcinn_ps.main(options)
    assert snapshot(tmp_path / "results") == before
    assert "gt[1]" in capfd.readouterr().err


@pytest.mark.parametrize(
    "options", [["--tile", "x"], ["--limit", "0"], ["--device", "tpu"], ["--unknown"], ["--seed", "-1"]]
)
def test_options_that_do_not_exist(options, capfd):
    with pytest.raises(SystemExit) as stop:
        test_dcinn_ps.main(options)
    assert stop.value.code == 2
    assert capfd.readouterr().err.count("\n") == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_cuda_where_there_is_none(capfd):
    with pytest.raises(SystemExit) as stop:
        test_dcinn_ps.main(["--device", "cuda"])
    assert stop.value.code == 2
    assert "--device cpu" in capfd.readouterr().err
