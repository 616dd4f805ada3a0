"""The four scripts, run for real: on the embedded sample, on files of every kind, from another folder."""

import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io
import tifffile

import test_dcinn_hmf
import test_dcinn_ivf_rs
import test_dcinn_ivf_tno
import test_dcinn_ps
from data.samples import sample_pan_scene
from data.simulate import spectral_response
from models import dcinn_hmf, dcinn_ivf, save_checkpoint

ROOT = Path(__file__).resolve().parents[2]


def run(script, folder, *options):
    if "--weights" not in options:  # whatever is in pretrained/
        options += ("--weights", "untrained")
    return script.main([*map(str, options), "--output", str(folder / "out")]), folder / "out"


@pytest.mark.parametrize(("script", "rule"), [(test_dcinn_ivf_tno, "max"), (test_dcinn_ivf_rs, "mean")])
def test_ivf_on_the_sample(script, rule, tmp_path, capsys):
    result, out = run(script, tmp_path, "--limit", 2)
    assert sorted(p.name for p in (out / "fused").iterdir()) == ["astronaut.png", "chelsea.png"]
    image = cv2.imread(str(out / "fused/astronaut.png"), cv2.IMREAD_UNCHANGED)
    assert (image.shape, image.dtype) == ((304, 320, 3), np.uint8)
    assert cv2.imread(str(out / "comparison.png")).shape[1] > 600
    kept = json.loads((out / "metrics.json").read_text())
    assert kept.pop("files") == sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())
    assert kept == json.loads(json.dumps(result))
    assert result["config"]["base_rule"] == rule
    table = capsys.readouterr().out
    assert table.startswith((out / "metrics.md").read_text().splitlines()[0])
    for words in (
        "NO TRAINED WEIGHTS",
        "Embedded sample",
        "max of the two",
        "Qabf",
        "MEF-SSIM",
    ):
        assert words in table
    assert "2 fused in" in table
    assert "DCINN paper Table 7; " not in table
    assert "DCINN paper Table 7; " in (out / "metrics.md").read_text()
    for name in ("metrics.md", "metrics.csv", "metrics.tex"):
        assert "mean of the two" in (out / name).read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["out"], "nothing else is left behind"


def test_the_fused_image_is_that_of_the_network(tmp_path):
    import torch

    from data.samples import sample_pairs

    torch.manual_seed(0)
    model = dcinn_ivf("max").eval()
    save_checkpoint(tmp_path / "w.pth", model)
    result, out = run(test_dcinn_ivf_tno, tmp_path, "--limit", 1, "--gray", "--weights", tmp_path / "w.pth")
    pair = sample_pairs()[0]
    with torch.no_grad():
        fused = model(*(torch.from_numpy(pair[k])[None] for k in ("visible", "infrared")))[0, 0].numpy()
    written = cv2.imread(str(out / "fused/astronaut.png"), cv2.IMREAD_UNCHANGED)
    assert np.abs(written - fused.clip(0, 1) * 255).max() <= 0.51
    assert result["weights"] == "DCINN (w)"
    assert "NO TRAINED WEIGHTS" not in (out / "metrics.md").read_text()


def test_weights_keep_their_own_base_rule_and_response(tmp_path):
    save_checkpoint(tmp_path / "w.pth", dcinn_ivf("mean"))
    for option, rule in (((), "mean"), (("--base-rule", "max"), "max")):
        result, _ = run(test_dcinn_ivf_tno, tmp_path, "--limit", 1, "--weights", tmp_path / "w.pth", *option)
        assert result["config"]["base_rule"] == rule
    other = np.roll(spectral_response(), 2, axis=0)
    save_checkpoint(tmp_path / "w.pth", dcinn_hmf(31, srf=other))
    (tmp_path / "cave/toy").mkdir(parents=True)
    for band in range(1, 32):
        cv2.imwrite(str(tmp_path / f"cave/toy/{band:02d}.png"), np.full((32, 32), 2000 * band, np.uint16))
    result, _ = run(test_dcinn_hmf, tmp_path, "--data", tmp_path / "cave", "--weights", tmp_path / "w.pth")
    assert "Another spectral response" in (tmp_path / "out/metrics.md").read_text()
    assert np.allclose(result["config"]["srf"], other)


def test_a_seed_repeats_a_run(tmp_path):
    first, second = (run(test_dcinn_ps, tmp_path / n, "--resolution", "reduced")[1] for n in "ab")
    other = run(test_dcinn_ps, tmp_path / "c", "--resolution", "reduced", "--seed", 1)[1]
    files = [(f / "reduced/sample_rgb.png").read_bytes() for f in (first, second, other)]
    assert files[0] == files[1] != files[2]


def test_ps_on_the_sample_at_both_resolutions(tmp_path, capsys):
    result, out = run(test_dcinn_ps, tmp_path)
    full = scipy.io.loadmat(out / "full/sample.mat")["fused"]
    assert (full.shape, full.dtype) == ((512, 512, 8), np.float32)
    assert 300 < full.mean() < 1500, "digital numbers of 11 bits"
    assert scipy.io.loadmat(out / "reduced/sample.mat")["fused"].shape == (128, 128, 8)
    assert {t["task"] for t in result["tables"]} == {"ps_reduced", "ps_full"}
    assert result["tables"][1]["summary"]["EXP (lms)"]["D_lambda"]["mean"] == 0
    assert "set apart" in (out / "metrics.md").read_text().lower()
    assert "set apart" not in capsys.readouterr().out.lower()


@pytest.mark.parametrize("suffix", ["npy", "tif"])
def test_other_formats_keep_the_range(suffix, tmp_path):
    scene = sample_pan_scene()
    ms, pan = (np.rint(scene[k] * 2047).astype(np.uint16) for k in ("ms", "pan"))
    scipy.io.savemat(tmp_path / "small.mat", {"I_MS": np.moveaxis(ms[:, :16, :16], 0, -1), "I_PAN": pan[0, :64, :64]})
    _, out = run(test_dcinn_ps, tmp_path, "--data", tmp_path / "small.mat", "--format", suffix, "--sensor", "WV3")
    file = out / f"full/small.{suffix}"
    image = np.load(file) if suffix == "npy" else tifffile.imread(file)
    assert image.shape == ((64, 64, 8) if suffix == "npy" else (8, 64, 64))
    assert image.dtype == (np.float32 if suffix == "npy" else np.uint16)
    assert 100 < image.mean() < 2047


@pytest.mark.parametrize("ratio", [4, pytest.param(8, marks=pytest.mark.slow)])
def test_hmf_on_the_sample(ratio, tmp_path):
    result, out = run(test_dcinn_hmf, tmp_path, "--limit", 1, "--ratio", ratio, "--tile", 96)
    cube = scipy.io.loadmat(out / "fused/coffee.mat")["fused"]
    assert (cube.shape, cube.dtype) == ((256, 256, 31), np.float32)
    assert 2000 < cube.mean() < 65535, "digital numbers of 16 bits"
    assert result["tables"][0]["published_other_images"][0]["data"].startswith(f"CAVE x{ratio}")


def written_pair(folder, name, image):
    for kind in ("vi", "ir"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / kind / name), image)
    return folder


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.random.default_rng(0).integers(0, 255, (40, 48, 3)).astype(np.uint8), "colour turned to luma"),
        (np.random.default_rng(0).integers(0, 65535, (40, 48)).astype(np.uint16), "16-bit image divided by 65535"),
        (np.random.default_rng(0).integers(0, 255, (37, 51)).astype(np.uint8), "reflected to multiples of 8"),
        (np.full((1, 1), 100, np.uint8), "reflected to multiples of 8"),
        (np.full((300, 1), 100, np.uint8), "reflected to multiples of 8"),
        (np.full((3, 2), 100, np.uint8), "reflected to multiples of 8"),
    ],
)
def test_what_must_simply_work_and_is_said(image, said, tmp_path):
    data = written_pair(tmp_path / "set", "a.png", image)
    _, out = run(test_dcinn_ivf_tno, tmp_path, "--data", data)
    assert cv2.imread(str(out / "fused/a.png"), cv2.IMREAD_UNCHANGED).shape == image.shape
    assert said in (out / "metrics.md").read_text()
    assert "NaN" not in (out / "metrics.json").read_text()


def test_ps_of_a_few_pixels_and_odd_sides(tmp_path, capsys):
    rng = np.random.default_rng(0)
    for i, (h, w) in enumerate([(4, 4), (7, 9), (3, 5)]):
        arrays = {
            "ms": rng.integers(1, 2047, (h, w, 4)).astype(np.uint16),
            "pan": rng.integers(1, 2047, (4 * h, 4 * w)).astype(np.uint16),
        }
        scipy.io.savemat(tmp_path / f"{i}.mat", arrays)
        _, out = run(test_dcinn_ps, tmp_path, "--data", tmp_path / f"{i}.mat", "--sensor", "QB")
        assert scipy.io.loadmat(out / f"full/{i}.mat")["fused"].shape == (4 * h, 4 * w, 4)
        if h >= 4:
            assert scipy.io.loadmat(out / f"reduced/{i}.mat")["fused"].shape == (h // 4 * 4, w // 4 * 4, 4)
    said = capsys.readouterr().out
    for words in ("left empty", "ms cropped to 4x8", "not reduced by Wald's protocol: found ms of 3x5"):
        assert words in said


def test_ps_with_the_sensor_of_another_number_of_bands(tmp_path, capsys):
    scipy.io.savemat(tmp_path / "a.mat", {"ms": np.ones((8, 8, 4), "u2"), "pan": np.ones((32, 32), "u2")})
    for sensor, bands in (("WV2", 8), ("0.3,0.31:0.15", 2)):
        with pytest.raises(SystemExit) as stop:
            run(test_dcinn_ps, tmp_path, "--data", tmp_path / "a.mat", "--sensor", sensor)
        assert stop.value.code == 2
        assert f"a.mat: found 4 bands, expected {bands} of sensor {sensor} (--sensor)" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.mat"]


def test_scripts_start_anywhere(tmp_path):
    command = [sys.executable, str(ROOT / "test_dcinn_ivf_rs.py"), "--limit", "1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert (tmp_path / "results/ivf_rs/fused/astronaut.png").is_file()
    done = subprocess.run([*command, "--data", "none"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("test_dcinn_ivf_rs.py: none: found no such folder")


@pytest.mark.parametrize("name", ["ps", "hmf", "ivf_rs", "ivf_tno"])
def test_help_shows_every_default(name):
    command = [sys.executable, str(ROOT / f"test_dcinn_{name}.py"), "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for option in ("--data", "--weights", "--output", "--device", "--tile", "--seed", "--exact", "--limit"):
        assert option in text
    assert re.sub(r"\s+", " ", text).count("(default:") >= 8
    assert "None" not in text


@pytest.mark.slow
def test_worldview2_with_the_authors_weights(shared, tmp_path):
    """A real scene at reduced resolution: better than the interpolation by more than four decibels."""
    weights = shared("weights/released_pansharpening_wv3.pth")
    options = ("--data", shared("datasets/pansharpening/wv2.mat"), "--weights", weights, "--resolution", "reduced")
    result, _ = run(test_dcinn_ps, tmp_path, *options)
    summary = result["tables"][0]["summary"]
    ours, exp = (summary[m] for m in ("DCINN (released_pansharpening_wv3)", "EXP (lms)"))
    assert ours["PSNR"]["mean"] == pytest.approx(29.597, abs=0.01), "the toolbox's border cut"
    assert ours["PSNR"]["mean"] > exp["PSNR"]["mean"] + 4
    assert ours["SAM"]["mean"] < 0.9 * exp["SAM"]["mean"]
    assert ours["ERGAS"]["mean"] < 0.7 * exp["ERGAS"]["mean"]
    assert ours["SSIM"]["mean"] > exp["SSIM"]["mean"] + 0.2
    assert ours["Q2n"]["mean"] > exp["Q2n"]["mean"] + 0.1
    assert ours["SCC"]["mean"] > exp["SCC"]["mean"] + 0.1


@pytest.mark.slow
def test_real_infrared_visible_pairs(shared, tmp_path):
    result, _ = run(test_dcinn_ivf_tno, tmp_path, "--data", shared("datasets/tno8"))
    table, evaluator = result["tables"]
    assert len(table["images"]) == 8
    published = {row["method"]: row["metrics"] for row in table["published_same_images"]}
    assert published["DCINN"]["EN"] == {"mean": 6.6371, "std": None}
    assert evaluator["published_same_images"] == []
    # The untrained network adds all details to the larger low-pass: sharper than max, with the same spread.
    summary = table["summary"]
    ours = summary["DCINN (untrained, seed 0)"]
    sf = {method: row["SF"]["mean"] for method, row in evaluator["summary"].items()}
    assert sf["DCINN (untrained, seed 0)"] > 1.15 * sf["max of the two"]
    assert ours["SD*"]["mean"] == pytest.approx(summary["max of the two"]["SD*"]["mean"], rel=0.05)
