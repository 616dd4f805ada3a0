"""python -m metrics: anybody's fused images, scored without a network, in every layout people save them in."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
from scoring import RNG, ivf, refused, run, values

from data.simulate import interp23, wald
from metrics import ergas, hqnr, mef_ssim, protocols, psnr, q2n, sam, table_text, viff
from metrics.protocols import PS_FULL, PS_REDUCED
from metrics.table import Table
from utils.evaluation import table_rows

ROOT = Path(__file__).resolve().parents[2]


def test_ivf(gray_set, capsys):
    folder, images = gray_set
    result = run(*ivf(folder, "--name", "theirs", "--output", folder / "out"))
    fused, infrared, visible = images["a"]
    assert values(result, 0)["theirs"]["MEF-SSIM"] == pytest.approx(mef_ssim(fused, infrared, visible))
    assert values(result, 1)["theirs"]["VIF"] == pytest.approx(viff(fused, infrared, visible))
    largest = np.maximum(infrared, visible)
    assert values(result, 1)["max of the two"]["VIF"] == pytest.approx(viff(largest, infrared, visible))
    assert "mean of the two" in capsys.readouterr().out
    assert json.loads((folder / "out/metrics.json").read_text())["tables"][0]["images"] == ["a", "b"]
    assert sorted(p.name for p in (folder / "out").iterdir()) == [f"metrics.{s}" for s in ("csv", "json", "md", "tex")]
    one = run("--task", "ivf", "--fused", folder / "f", "--data", folder, "--protocol", "cddfuse")
    assert [t["protocol"] for t in one["tables"]] == ["cddfuse"]
    assert "f" in one["tables"][0]["values"]


def test_one_file_each(gray_set):
    folder, images = gray_set
    files = ("--fused", folder / "f/b.bmp", "--infrared", folder / "ir/b.png", "--visible", folder / "vi/b.png")
    assert values(run("--task", "ivf", *files), 1)["b"]["VIF"] == pytest.approx(viff(*images["b"]))


@pytest.mark.parametrize("form", ["h5", "mat", "npy", "toolbox", "named", "tif"])
def test_ps_reduced_in_every_layout(form, stacked, tmp_path):
    source, gt, fused = stacked
    place = tmp_path / f"fused.{form}"
    if form == "h5":
        h5py.File(place, "w")["sr"] = fused
    elif form == "mat":
        scipy.io.savemat(place, {"anything": fused})
    elif form == "npy":
        np.save(place, fused)
    else:
        place = tmp_path / "results"
        place.mkdir()
        for i in (1, 0):
            if form == "toolbox":  # natural order: 2 before 10
                name = ("output_mulExm_2.mat", "output_mulExm_10.mat")[i]
                scipy.io.savemat(place / name, {"sr": np.moveaxis(fused[i], 0, -1), "other": 1})
            elif form == "named":
                scipy.io.savemat(place / f"qb_000{i}.mat", {"fused": np.moveaxis(fused[i], 0, -1)})
            else:
                tifffile.imwrite(place / f"{i}.tif", np.rint(fused[i]).astype(np.uint16), photometric="minisblack")
    table = run("--task", "ps", "--fused", place, "--data", source, "--name", "m")["tables"][0]
    assert (table["task"], table["protocol"], table["images"]) == ("ps_reduced", "toolbox", ["qb_0000", "qb_0001"])
    for i in range(2):
        a, b = (np.moveaxis(x[i], 0, -1)[20:-21, 20:-21] for x in (fused, gt))
        assert table["values"]["m"]["Q2n"][i] == pytest.approx(q2n(a, b), rel=1e-6)
        assert table["values"]["m"]["ERGAS"][i] == pytest.approx(ergas(a, b, ratio=4), rel=1e-5)
    assert "EXP (lms)" in table["values"]


def test_ps_in_the_unit_interval_must_be_declared(stacked, tmp_path, capsys):
    source, gt, fused = stacked
    np.save(tmp_path / "f.npy", fused / 1400)
    assert "already scaled" in refused(capsys, "--task", "ps", "--fused", tmp_path / "f.npy", "--data", source)
    np.save(tmp_path / "f.npy", fused / 2047)
    message = refused(capsys, "--task", "ps", "--fused", tmp_path / "f.npy", "--data", source)
    assert "already scaled, expected digital numbers of 11 bits, or --fused-bits 1" in message
    table = run(
        "--task", "ps", "--fused", tmp_path / "f.npy", "--data", source, "--fused-bits", 1, "--protocol", "whole"
    )
    found = table["tables"][0]["values"]["f"]["SAM"][0]
    assert found == pytest.approx(sam(np.moveaxis(fused[0], 0, -1), np.moveaxis(gt[0], 0, -1)), rel=1e-5)


def test_ps_at_both_resolutions_of_one_scene(tmp_path):
    """A scene without gt: fused images of the pan's size have no reference, of the ms's size the ms."""
    ms, pan = RNG.integers(100, 2000, (96, 80, 4)), RNG.integers(100, 2000, (384, 320))
    scipy.io.savemat(tmp_path / "s.mat", {"I_MS": ms, "I_PAN": pan, "sensor": "QB"})
    lms = interp23(ms)
    for name, image in (("full", lms + 25), ("low", ms + 25)):
        np.save(tmp_path / f"{name}.npy", image)
    full = run("--task", "ps", "--fused", tmp_path / "full.npy", "--data", tmp_path / "s.mat")
    assert full["tables"][0]["task"] == "ps_full"
    assert values(full)["full"]["HQNR"] == pytest.approx(hqnr(lms + 25, lms, pan, sensor="QB"), rel=1e-4)
    low = run("--task", "ps", "--fused", tmp_path / "low.npy", "--data", tmp_path / "s.mat")
    assert low["tables"][0]["task"] == "ps_reduced"
    inside = (slice(20, -21), slice(20, -21))
    assert values(low)["low"]["SAM"] == pytest.approx(sam((ms + 25)[inside], ms[inside]), rel=1e-5)
    exp = wald(ms, pan, sensor="QB")["lms"]
    assert values(low)["EXP (lms)"]["SAM"] == pytest.approx(sam(exp[inside], ms[inside]), rel=1e-5)


def test_exp_is_not_the_best_in_what_it_is_by_definition():
    table = Table("t", "ps_full", PS_FULL, "toolbox", ratio=4, sensor="QB")
    lms, pan = RNG.integers(100, 2000, (4, 64, 64)) / 2047, RNG.integers(100, 2000, (1, 64, 64)) / 2047
    table_rows.add_scene_ps(table, {"name": "s", "lms": lms, "pan": pan}, "m", (lms + pan) / 2, 2047)
    assert table.rows["EXP (lms)"]["D_lambda"] == [0]
    marks = {
        name: dict(zip(PS_FULL, (mark for _, mark in cells), strict=True)) for name, cells in table_text.lines(table)
    }
    assert marks["EXP (lms)"]["D_lambda"] is None
    assert {marks[name]["D_s"] for name in marks} == {"best", "second"}


@pytest.mark.parametrize(("side", "comparable"), [(72, False), (73, True)])
def test_images_too_small_for_the_border_cut_are_not_comparable(side, comparable):
    table = Table("t", "ps_reduced", PS_REDUCED["toolbox"], "toolbox", ratio=4)
    gt = RNG.integers(100, 2000, (4, side, side)) / 2047
    table_rows.add_scene_ps(table, {"name": "s", "gt": gt, "lms": gt}, "m", gt, 2047)
    assert table.comparable == comparable
    assert any("Border NOT cut" in line for line in table.remarks) != comparable


@pytest.mark.parametrize("ratio", [4, 8])
def test_hmf_against_cave_and_against_cubes(ratio, tmp_path):
    cube = RNG.integers(3000, 60000, (31, 32, 48)).astype(np.uint16)
    fused = np.clip(cube + RNG.normal(0, 300, cube.shape), 0, 65535)
    (tmp_path / "cave/one_ms/one_ms").mkdir(parents=True)
    for i, band in enumerate(cube, 1):
        cv2.imwrite(str(tmp_path / f"cave/one_ms/one_ms/one_ms_{i:02d}.png"), band)
    scipy.io.savemat(tmp_path / "one.mat", {"fused": np.moveaxis(fused, 0, -1)})
    (tmp_path / "cubes").mkdir()
    np.save(tmp_path / "cubes/one.npy", np.moveaxis(cube / 65535, 0, -1))
    a, b = (np.moveaxis(x, 0, -1) / 65535 for x in (fused, cube))
    for reference in ("cave", "cubes"):
        options = ("--task", "hmf", "--fused", tmp_path / "one.mat", "--data", tmp_path / reference, "--name", "m")
        found = values(run(*options, "--ratio", ratio))
        assert found["m"]["PSNR"] == pytest.approx(psnr(a, b), rel=1e-5)
        assert found["m"]["ERGAS"] == pytest.approx(ergas(a, b, ratio=ratio), rel=1e-4)
        assert found["m"]["PSNR"] > found["bicubic"]["PSNR"]
        assert "bilinear" in found


def test_the_command_itself(gray_set, tmp_path):
    folder, _ = gray_set
    command = [sys.executable, "-m", "metrics", *map(str, ivf(folder, "--protocol", "paper"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("### Infrared-visible fusion (paper)")
    assert done.stderr == ""
    code = "import sys, metrics, metrics.table_text, utils.evaluation.score; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0, "no PyTorch needed"


@pytest.mark.slow
def test_the_scripts_own_results_score_the_same(shared, tmp_path):
    import test_dcinn_ivf_tno

    data = shared("datasets/tno8")
    options = ["--data", str(data), "--output", str(tmp_path / "out"), "--weights", "untrained"]
    first = test_dcinn_ivf_tno.main(options)
    second = run("--task", "ivf", "--fused", tmp_path / "out/fused", "--data", data, "--name", "again")
    for a, b in zip(first["tables"], second["tables"], strict=True):
        for metric, found in b["values"]["again"].items():
            assert a["values"]["DCINN (untrained, seed 0)"][metric] == pytest.approx(found)
        assert a["published_same_images"] == b["published_same_images"]


def test_a_dead_band_is_named_and_not_ranked():
    """Band 2 of the reference is constant: who comes near it has a PSNR that says nothing."""
    rng = np.random.default_rng(0)
    gt = rng.random((3, 40, 48)).astype(np.float32)
    gt[1] = 0
    near = gt + rng.normal(0, 0.01, gt.shape).astype(np.float32)
    near[1] = 1e-6 * rng.random(gt.shape[1:])
    table = Table("x", "hmf", protocols.HMF["group"], "group", ratio=4)
    table_rows.add_scene_hmf(table, "scene", "m", near, gt, {"bicubic": gt * 0.9, "hsi_up": gt * 0.8})
    assert "scene: band 2 is constant in the reference: PSNR, ERGAS, SSIM are not ranked." in table.remarks
    marks = {
        name: dict(zip(table.metrics, (m for _, m in cells), strict=True)) for name, cells in table_text.lines(table)
    }
    assert {marks[name]["PSNR"] for name in marks} == {None}
    assert {marks[name]["SAM"] for name in marks} == {"best", "second"}
