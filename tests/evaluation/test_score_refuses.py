"""python -m metrics: what does not belong together is refused with one line, and nothing is scored by guess."""

import re

import cv2
import numpy as np
import pytest
import scipy.io
from scoring import RNG, ivf, refused, run, values

from metrics import d_lambda_k, d_s, protocols
from metrics.table import Table
from utils.evaluation import table_rows


def ps(fused, source, *options):
    return ("--task", "ps", "--fused", fused, "--data", source, *options)


def save(folder, **images):
    folder.mkdir(exist_ok=True)
    for name, image in images.items():
        np.save(folder / f"{name}.npy", image)
    return folder


def test_some_names_agree_and_some_do_not(stacked, tmp_path, capsys):
    source, _, fused = stacked
    half = save(tmp_path / "half", qb_0000=fused[0], other=fused[1])
    assert "half: found no file named qb_0001, expected all 2 names, or none" in refused(capsys, *ps(half, source))
    more = save(tmp_path / "more", qb_0000=fused[0], qb_0001=fused[1], qb_0001_old=fused[1])
    assert "more: found qb_0001_old.npy of no scene" in refused(capsys, *ps(more, source))
    twice = save(tmp_path / "twice", qb_0000=fused[0], qb_0001=fused[1])
    scipy.io.savemat(twice / "qb_0001.mat", {"sr": fused[0]})
    assert "twice: found several files named qb_0001" in refused(capsys, *ps(twice, source))


def test_names_of_other_scenes_are_matched_in_order_and_it_is_said(stacked, tmp_path):
    source, _, fused = stacked
    folder = save(tmp_path / "o", out_2=fused[0], out_10=fused[1])
    (folder / ".out_3.npy").write_bytes(b"a hidden copy of some editor")
    table = run(*ps(folder, source))["tables"][0]
    assert (
        "No file has a scene's name: matched in natural order (out_2.npy is qb_0000, out_10.npy is qb_0001)."
        in (table["remarks"])
    )
    exact = save(tmp_path / "e", qb_0000=fused[0], qb_0001=fused[1])
    again = run(*ps(exact, source, "--name", "o"))["tables"][0]
    assert again["values"] == table["values"]
    assert not any("natural order" in line for line in again["remarks"])


@pytest.mark.parametrize("factor", [1 / 4, 4, 32])
def test_another_bit_depth(factor, stacked, tmp_path, capsys):
    source, _, fused = stacked
    np.save(tmp_path / "f.npy", fused * factor)
    message = refused(capsys, *ps(tmp_path / "f.npy", source))
    assert re.search(r"a mean of .*, expected one near 10\d\d, as the sources in 11 bits have \(--fused-bits", message)
    np.save(tmp_path / "f.npy", fused * 32)
    declared = run(*ps(tmp_path / "f.npy", source, "--fused-bits", 16, "--protocol", "whole"))
    assert values(declared)["f"]["PSNR"] > 30
    np.save(tmp_path / "f.npy", fused / 4)
    dark = run(*ps(tmp_path / "f.npy", source, "--fused-bits", 11))
    assert values(dark)["f"]["SAM"] < 2, "declared, it is taken at its word"


def test_reserved_names_and_folder_names(gray_set, capsys):
    folder, _ = gray_set
    assert "--name: found max of the two" in refused(capsys, *ivf(folder, "--name", "max of the two"))
    (folder / "f").rename(folder / "method-1.2")
    options = ("--task", "ivf", "--fused", folder / "method-1.2", "--data", folder)
    assert "method-1.2" in run(*options)["tables"][0]["values"], "a folder has no suffix"
    capsys.readouterr()
    assert "nothing: found no such file or folder" in refused(
        capsys, "--task", "ivf", "--fused", folder / "nothing", "--data", folder
    )


def test_two_fused_images_of_one_name(gray_set, capsys):
    folder, images = gray_set
    cv2.imwrite(str(folder / "f/a.png"), images["a"][0])
    message = refused(capsys, *ivf(folder))
    assert "expected one image of each name" in message
    assert "a.bmp" in message
    assert "a.png" in message


def test_an_output_that_cannot_be_written_is_refused_before_the_work(gray_set, capsys, monkeypatch):
    folder, _ = gray_set
    monkeypatch.setattr("utils.evaluation.score.add_pair", lambda *a: pytest.fail("measured first"))
    (folder / "out").write_text("a file")
    assert "out: found a file, expected a folder" in refused(capsys, *ivf(folder, "--output", folder / "out"))


def scene(tmp_path, sides=(96, 80), name="s", sensor="QB"):
    ms, pan = RNG.integers(100, 2000, (*sides, 4)), RNG.integers(100, 2000, tuple(4 * s for s in sides))
    scipy.io.savemat(tmp_path / f"{name}.mat", {"I_MS": ms, "I_PAN": pan, "sensor": sensor})
    return tmp_path / f"{name}.mat", ms


def test_ms_of_odd_sides(tmp_path, capsys):
    """Wald's protocol keeps whole reduced pixels; fused images of that part are told from full resolution."""
    source, ms = scene(tmp_path, (83, 90))
    np.save(tmp_path / "part.npy", ms[:80, :88] + 10.0)
    table = run(*ps(tmp_path / "part.npy", source))["tables"][0]
    assert table["task"] == "ps_reduced"
    capsys.readouterr()
    np.save(tmp_path / "whole.npy", ms + 10.0)
    assert "expected (4, 80, 88)" in refused(capsys, *ps(tmp_path / "whole.npy", source))


def test_full_resolution_has_one_protocol_and_needs_the_sensors_bands(tmp_path, capsys):
    source, ms = scene(tmp_path)
    np.save(tmp_path / "f.npy", np.repeat(np.repeat(ms, 4, 0), 4, 1))
    full = ps(tmp_path / "f.npy", source)
    assert "--protocol: found whole, expected toolbox" in refused(capsys, *full, "--protocol", "whole")
    assert "found 4 bands, expected 8 of sensor WV3 (--sensor)" in refused(capsys, *full, "--sensor", "WV3")
    table = run(*full, "--sensor", "none")["tables"][0]
    assert any("no gains of its own" in line for line in table["remarks"])
    assert not any("no gains" in line for line in run(*full)["tables"][0]["remarks"])


def test_reference_cubes_of_few_bits_and_of_one_band(tmp_path, capsys):
    cube = RNG.integers(300, 4000, (6, 40, 48)).astype(np.uint16)
    for name in ("reference", "fused"):
        save(tmp_path / name, one=cube)
    options = ("--task", "hmf", "--fused", tmp_path / "fused", "--data", tmp_path / "reference")
    assert "at most 14 bits, expected 16 bits, or --bits" in refused(capsys, *options)
    assert values(run(*options, "--bits", 12))["fused"]["ERGAS"] == 0
    for name in ("reference", "fused"):
        save(tmp_path / name, one=(cube[0] >> 4).astype(np.uint8))
    (tmp_path / "reference/.cache").mkdir()  # hidden folders do not make it a CAVE folder
    assert values(run(*options, "--fused-bits", 8))["fused"]["ERGAS"] == 0, "8 bits by their type; 2-D is one band"
    for name in ("reference", "fused"):
        save(tmp_path / name, one=np.stack([cube, cube]) * 16)
    assert values(run("--task", "hmf", "--fused", tmp_path / "fused/one.npy", "--data", tmp_path / "reference/one.npy"))


@pytest.mark.parametrize("ratio", [2, 4])
def test_the_ratio_reaches_the_metrics_without_a_reference(ratio):
    lms, pan = RNG.integers(100, 2000, (4, 64, 96)) / 2047, RNG.integers(100, 2000, (64, 96)) / 2047
    fused = (lms + pan) / 2
    found = protocols.ps_full(fused, lms, pan, scale=2047, ratio=ratio, sensor="QB")
    a, b = (np.moveaxis(x, 0, -1) * 2047 for x in (fused, lms))
    assert found["D_s"]() == pytest.approx(d_s(a, b, pan * 2047, ratio=ratio))
    assert found["D_lambda_K"]() == pytest.approx(d_lambda_k(a, b, sensor="QB", ratio=ratio))
    assert d_s(a, b, pan * 2047, ratio=2) != pytest.approx(d_s(a, b, pan * 2047, ratio=4), rel=1e-3)
    assert d_lambda_k(a, b, sensor="QB", ratio=2) != pytest.approx(d_lambda_k(a, b, sensor="QB", ratio=4), rel=1e-3)


def test_exp_is_not_ranked_in_qnr_either():
    table = Table("t", "ps_full", protocols.PS_FULL, "toolbox", ratio=4, sensor="QB")
    lms, pan = RNG.integers(100, 2000, (4, 64, 64)) / 2047, RNG.integers(100, 2000, (1, 64, 64)) / 2047
    table_rows.add_scene_ps(table, {"name": "s", "lms": lms, "pan": pan}, "m", lms * 0.9 + 0.05, 2047)
    assert {("EXP (lms)", "D_lambda"), ("EXP (lms)", "QNR")} == table.unranked
    assert table.sizes == [(64, 64)]


def test_ivf_that_does_not_fit(gray_set, capsys):
    folder, _ = gray_set
    (folder / "f/b.bmp").rename(folder / "f/c.bmp")
    assert "f: found no image named b, expected one fused image for each of the 2 pairs" in refused(
        capsys, *ivf(folder)
    )
    (folder / "f/c.bmp").rename(folder / "f/b.bmp")
    cv2.imwrite(str(folder / "f/z.png"), np.zeros((4, 4), np.uint8))
    assert "z.png without sources" in refused(capsys, *ivf(folder))
    (folder / "f/z.png").unlink()
    cv2.imwrite(str(folder / "f/b.bmp"), np.zeros((48, 56), np.uint8))
    message = refused(capsys, *ivf(folder, "--output", folder / "out"))
    assert message.startswith("python -m metrics: ")
    assert "b.bmp: found 48x56 pixels, expected 48x60 pixels of its sources" in message
    assert not (folder / "out").exists()
    assert "expected one of both, paper, cddfuse for ivf" in refused(capsys, *ivf(folder, "--protocol", "toolbox"))
    assert "--visible, --infrared: found not both" in refused(capsys, "--task", "ivf", "--fused", folder / "f")


def test_ps_that_does_not_fit(stacked, tmp_path, capsys):
    source, _, fused = stacked
    cases = {
        "three.npy": (np.concatenate([fused, fused[:1]]), "found 3 images (three, ...), expected 2 (qb_0000, ...)"),
        "shape.npy": (
            fused[:, :, :, :90],
            "shape.npy[0]: found an array of shape (4, 80, 90), expected (4, 80, 96) or",
        ),
        "nan.npy": (np.where(fused > 1900, np.nan, fused), "nan.npy[0]: found NaN or infinity"),
        "text.npy": (np.array(["a"]), "expected numbers of shape"),
        "large.npy": (fused * 6, "expected one near 10"),
    }
    for name, (array, message) in cases.items():
        np.save(tmp_path / name, array)
        assert message in refused(capsys, "--task", "ps", "--fused", tmp_path / name, "--data", source)
    scipy.io.savemat(tmp_path / "keys.mat", {"x": 1, "y": 2})
    assert "found the keys x, y, expected one of" in refused(
        capsys, "--task", "ps", "--fused", tmp_path / "keys.mat", "--data", source
    )
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY rubbish")
    (tmp_path / "x.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    for name, message in (
        ("bad.npy", "no readable .npy file"),
        ("x.txt", "found a file of type .txt"),
        ("empty", "no such files"),
        ("none", "no such file or folder"),
    ):
        assert message in refused(capsys, "--task", "ps", "--fused", tmp_path / name, "--data", source)
    assert "--data: found none" in refused(capsys, "--task", "ps", "--fused", tmp_path / "nan.npy")


@pytest.mark.parametrize(("scale", "value"), [(1, -1), (1, 65536), (1 / 65535, -0.6)])
def test_reference_cubes_outside_their_range(scale, value, tmp_path, capsys):
    cube = RNG.integers(3000, 60000, (8, 40, 40)) * scale
    cube[0, 0, 0] = value
    for name in ("reference", "fused"):
        np.save(tmp_path / f"{name}.npy", cube)
    message = refused(capsys, "--task", "hmf", "--fused", tmp_path / "fused.npy", "--data", tmp_path / "reference.npy")
    assert "reference.npy: found values from" in message
    assert "expected 0 to 65535 (--bits)" in message


def test_reference_folder_with_a_stack_in_a_file(tmp_path, capsys):
    cube = RNG.random((8, 40, 40))
    references, fused = save(tmp_path / "references", a=np.stack([cube, cube])), save(tmp_path / "fused", a=cube)
    message = refused(capsys, "--task", "hmf", "--fused", fused, "--data", references)
    assert "a.npy: found an array of shape (2, 8, 40, 40), expected one image, (B, H, W) or (H, W, B)" in message
