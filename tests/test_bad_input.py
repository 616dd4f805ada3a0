"""Bad input at the door of the four scripts: one clear line, exit code 2, nothing written."""

import shutil

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
import torch
from skimage.io import imsave

import test_dcinn_hmf
import test_dcinn_ivf_rs
import test_dcinn_ivf_tno
import test_dcinn_ps
from data.simulate import spectral_response
from models import dcinn_hmf, dcinn_ivf, dcinn_ps, export_released, save_checkpoint

SCRIPTS = {"ps": test_dcinn_ps, "hmf": test_dcinn_hmf, "rs": test_dcinn_ivf_rs, "tno": test_dcinn_ivf_tno}


def gray(h=32, w=40, dtype=np.uint8):
    return (np.arange(h * w) % 251).reshape(h, w).astype(dtype)


def pair_folders(tmp, visible=None, infrared=None):
    """DIR/vi/a.png and DIR/ir/a.png."""
    for folder, image in (("vi", visible), ("ir", infrared)):
        (tmp / "set" / folder).mkdir(parents=True)
        imsave(tmp / "set" / folder / "a.png", gray() if image is None else image, check_contrast=False)
    return tmp / "set"


def scene(**changes):
    """A reduced-resolution file's arrays, N,C,H,W."""
    rng = np.random.default_rng(0)
    arrays = {
        "gt": rng.integers(0, 2048, (2, 8, 32, 32)).astype(np.float32),
        "lms": rng.integers(0, 2048, (2, 8, 32, 32)).astype(np.float32),
        "ms": rng.integers(0, 2048, (2, 8, 8, 8)).astype(np.float32),
        "pan": rng.integers(0, 2048, (2, 1, 32, 32)).astype(np.float32),
    }
    return {k: v for k, v in (arrays | changes).items() if v is not None}


def h5(tmp, **changes):
    with h5py.File(tmp / "test.h5", "w") as file:
        for name, value in scene(**changes).items():
            file[name] = value
    return tmp / "test.h5"


def cave(tmp, bands=31, image=None, odd_band=None):
    folder = tmp / "cave" / "toy_ms" / "toy_ms"
    folder.mkdir(parents=True)
    for i in range(1, bands + 1):
        band = gray(16, 16, np.uint16) * 250 if image is None else image
        imsave(
            folder / f"toy_ms_{i:02d}.png", odd_band if i == 7 and odd_band is not None else band, check_contrast=False
        )
    return tmp / "cave"


def truncated(path, part=0.6):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    return path


def written(path, content=b"no image, no array, no weights"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def checkpoint(tmp, model, theirs=False):
    (export_released if theirs else save_checkpoint)(tmp / "weights.pth", model)
    return tmp / "weights.pth"


def huge_kernel():
    model = dcinn_ps(8)
    model.flow.low0.conv_exp.kernel.data.fill_(1e30)
    return model


def nan_gt():
    gt = scene()["gt"]
    gt[1, 2, 3, 4] = np.nan
    return gt


def tiff_pair(tmp, image):
    for folder in ("vi", "ir"):
        (tmp / "set" / folder).mkdir(parents=True)
        tifffile.imwrite(tmp / "set" / folder / "a.tif", image)
    return tmp / "set"


def unmatched(tmp):
    root = pair_folders(tmp)
    (root / "ir" / "a.png").rename(root / "ir" / "b.png")
    return root


def twice(tmp):
    root = pair_folders(tmp)
    shutil.copy(root / "vi" / "a.png", root / "vi" / "a.bmp")
    return root


def two_visible_folders(tmp):
    root = pair_folders(tmp)
    shutil.copytree(root / "vi", root / "visible")
    return root


def truncated_jpeg(tmp):
    root = pair_folders(tmp)
    (root / "vi" / "a.png").unlink()
    imsave(root / "vi" / "a.jpg", gray(), check_contrast=False)
    truncated(root / "vi" / "a.jpg")
    return root


def mat(tmp, **arrays):
    scipy.io.savemat(tmp / "scene.mat", arrays)
    return tmp / "scene.mat"


MS, PAN = np.full((8, 8, 8), 500, np.uint16), np.full((32, 32), 500, np.uint16)
SRF = spectral_response()

# what is wrong -> script, options made in a folder, words of the line
CASES = {
    "no such folder": ("tno", lambda t: ["--data", t / "none"], ["none", "no such folder"]),
    "empty folder": ("rs", lambda t: ["--data", t], ["subfolder of visible images"]),
    "empty subfolder": ("rs", lambda t: ["--visible", t, "--infrared", pair_folders(t) / "ir"], ["no images"]),
    "two visible folders": (
        "tno",
        lambda t: ["--data", two_visible_folders(t)],
        ["vi and visible", "one visible folder"],
    ),
    "no partner": ("tno", lambda t: ["--data", unmatched(t)], ["a.png", "no partner", "an image named a"]),
    "one name twice": ("tno", lambda t: ["--data", twice(t)], ["a.bmp and a.png", "one image of each name"]),
    "unequal sizes": ("tno", lambda t: ["--data", pair_folders(t, gray(32, 40), gray(40, 32))], ["40x32", "32x40"]),
    "truncated PNG": (
        "tno",
        lambda t: ["--data", truncated(pair_folders(t) / "ir" / "a.png").parents[1]],
        ["ir/a.png"],
    ),
    "truncated JPEG": ("tno", lambda t: ["--data", truncated_jpeg(t)], ["vi/a.jpg", "truncated"]),
    "text named .png": (
        "tno",
        lambda t: ["--data", written(pair_folders(t) / "vi" / "a.png").parents[1]],
        ["vi/a.png"],
    ),
    "NaN in a TIFF": (
        "tno",
        lambda t: ["--data", tiff_pair(t, np.full((32, 32), np.nan, np.float32))],
        ["a.tif", "NaN"],
    ),
    "floats of 0..255": ("tno", lambda t: ["--data", tiff_pair(t, gray(dtype=np.float32))], ["0 to 250", "--bits"]),
    "signed integers": ("tno", lambda t: ["--data", tiff_pair(t, gray(dtype=np.int16))], ["int16", "unsigned"]),
    "over the declared depth": (
        "tno",
        lambda t: ["--data", pair_folders(t, gray(dtype=np.uint16) * 20), "--bits", "12"],
        ["0 to 5000", "0 to 4095 of the declared 12 bits"],
    ),
    "two pages in a TIFF": ("tno", lambda t: ["--data", tiff_pair(t, np.zeros((2, 32, 32), np.uint8))], ["2 pages"]),
    "a file beside a folder": (
        "tno",
        lambda t: ["--visible", pair_folders(t) / "vi" / "a.png", "--infrared", t / "set" / "ir"],
        ["ir", "a folder", "a.png is one"],
    ),
    "a result over an input": (
        "tno",
        lambda t: [
            "--visible",
            shutil.copytree(pair_folders(t) / "vi", t / "set" / "fused") / "a.png",
            "--infrared",
            t / "set" / "ir" / "a.png",
            "--output",
            t / "set",
        ],
        ["fused/a.png", "an input of this run"],
    ),
    "a folder where a result goes": (
        "tno",
        lambda t: ["--limit", "1", "--output", (t / "out" / "metrics.json").mkdir(parents=True) or t / "out"],
        ["metrics.json", "found a folder"],
    ),
    "a depth of 2000 bits": ("tno", lambda t: ["--bits", "2000"], ["--bits", "1 to 32"]),
    "a tile of 7": ("ps", lambda t: ["--tile", "7"], ["--tile", "at least 32"]),
    "a limit of words": ("ps", lambda t: ["--limit", "few"], ["--limit", "found few"]),
    "a series that diverges": (
        "ps",
        lambda t: ["--weights", checkpoint(t, huge_kernel()), "--exact"],
        ["no convergence"],
    ),
    "only one of two folders": ("tno", lambda t: ["--visible", pair_folders(t) / "vi"], ["--infrared", "both"]),
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
    "results into a file": ("tno", lambda t: ["--output", written(t / "out")], ["out", "expected a folder"]),
}


def snapshot(folder):
    return {p: p.read_bytes() if p.is_file() else None for p in sorted(folder.rglob("*"))}


@pytest.mark.parametrize("case", CASES)
def test_one_line_exit_two_nothing_written(case, tmp_path, capfd, monkeypatch):
    script, make, words = CASES[case]
    monkeypatch.chdir(tmp_path)
    options = [str(o) for o in make(tmp_path)]
    if "--output" not in options:
        options += ["--output", str(tmp_path / "deep" / "results")]
    before = snapshot(tmp_path)
    with pytest.raises(SystemExit) as stop:
        SCRIPTS[script].main(options)
    out, err = capfd.readouterr()
    assert stop.value.code == 2
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    for word in words:
        assert word in err
    assert "expected" in err or case == "a series that diverges"
    assert out == ""
    assert snapshot(tmp_path) == before


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
