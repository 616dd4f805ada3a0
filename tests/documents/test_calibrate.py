"""The training-free rows: benchmarks/calibrate.py on real data, and what it says when the data are off."""

import calibrate
import cv2
import numpy as np
import pytest

from data.hyperspectral import CAVE_TEST

RNG = np.random.default_rng(8)


@pytest.mark.slow
def test_cave_bicubic_rows_are_the_published_ones(shared, tmp_path):
    """x4 34.33 +- 3.88 dB (Deng et al., IJCAI 2023), x8 29.96 +- 3.54 (Cao et al., ACM MM 2024)."""
    options = ["--cave", str(shared("datasets/cave")), "--cave-bits", "12", "--output", str(tmp_path / "out")]
    result = calibrate.main(options)
    rows = {t["ratio"]: t["summary"]["bicubic, ours"] for t in result["tables"]}
    assert rows[4]["PSNR"]["mean"] == pytest.approx(34.33, abs=0.03)
    assert rows[4]["PSNR"]["std"] == pytest.approx(3.88, abs=0.02)
    assert rows[8]["PSNR"]["mean"] == pytest.approx(29.96, abs=0.05)
    assert rows[8]["PSNR"]["std"] == pytest.approx(3.54, abs=0.02)
    assert rows[4]["SSIM"]["mean"] == pytest.approx(0.944, abs=0.003)
    assert rows[8]["ERGAS"]["mean"] == pytest.approx(5.56, abs=0.1)
    assert len(result["checks"]) == 8
    assert "| ok (BDT Table 1) |" in (tmp_path / "out/checks.md").read_text()


@pytest.mark.slow
def test_mean_and_max_of_the_papers_tno_pairs(shared):
    """Averages worked out by other code: EN and SD* of mean (halves to even) and maximum, MEF-SSIM of both."""
    summary = calibrate.main(["--tno", str(shared("datasets/tno8"))])["tables"][0]["summary"]
    found = {m: {k: round(v["mean"], 4) for k, v in row.items()} for m, row in summary.items()}
    assert found["mean, halves to even"]["EN"] == pytest.approx(6.013, abs=6e-4)
    assert found["mean of the two"]["SD*"] == pytest.approx(45.26, abs=6e-3)
    assert found["mean of the two"]["MEF-SSIM"] == pytest.approx(0.8792, abs=2e-4)
    assert found["max of the two"]["EN"] == pytest.approx(6.390, abs=6e-4)
    assert found["max of the two"]["SD*"] == pytest.approx(70.12, abs=6e-3)
    assert found["max of the two"]["MEF-SSIM"] == pytest.approx(0.8337, abs=6e-5)


@pytest.fixture
def other_cave(tmp_path):
    """Noise under the names of the 11 test scenes."""
    for scene in CAVE_TEST:
        (tmp_path / f"{scene}_ms").mkdir()
        for band in range(1, 32):
            image = RNG.integers(0, 65536, (16, 16)).astype(np.uint16)
            cv2.imwrite(str(tmp_path / f"{scene}_ms/{scene}_ms_{band:02d}.png"), image)
    return tmp_path


def test_other_data_are_off_and_say_so(other_cave, capsys):
    with pytest.raises(SystemExit) as stop:
        calibrate.main(["--cave", str(other_cave)])
    assert stop.value.code == 1
    said = capsys.readouterr().out
    assert said.count("| OFF (") >= 4
    assert "bicubic, ours" in said


def test_a_scene_is_lacking(other_cave, capsys):
    (other_cave / "hairs_ms").rename(other_cave / "pelt_ms")
    with pytest.raises(SystemExit) as stop:
        calibrate.single_line_errors(calibrate.main)(["--cave", str(other_cave)])
    assert stop.value.code == 2
    assert "found no scene hairs, expected the 11 test scenes" in capsys.readouterr().err


def test_without_data_there_is_nothing_to_do(capsys):
    with pytest.raises(SystemExit) as stop:
        calibrate.main([])
    assert stop.value.code == 2
    assert "expected --cave, --tno, --roadscene or --pan" in capsys.readouterr().err


def test_pan_scene_at_both_resolutions(tmp_path):
    import scipy.io

    images = {
        "I_MS": RNG.integers(100, 2000, (96, 80, 4)),
        "I_PAN": RNG.integers(100, 2000, (384, 320)),
        "sensor": "QB",
    }
    scipy.io.savemat(tmp_path / "s.mat", images)
    result = calibrate.main(["--pan", str(tmp_path / "s.mat")])
    assert [t["task"] for t in result["tables"]] == ["ps_reduced", "ps_full"]
    assert all(list(t["values"]) == ["EXP (lms)"] for t in result["tables"])
    assert result["checks"] == []
