"""What a test prints: ten lines at most of one image; of several tables and the run's remarks; the rest on request."""

import numpy as np
import pytest
import tifffile
from outputs import pairs
from PIL import Image
from scipy.io import savemat

import test_dcinn_ivf_tno
import test_dcinn_ps
from data.files.remarks import Routine, of_role
from metrics.table import Table
from utils.evaluation import score
from utils.evaluation.report import MOST_LINES, Convention, at_most, tell

RNG = np.random.default_rng(0)
DANGERS = ("NoData (7)", "nearly all samples within a quarter", "are the two swapped?", "NO TRAINED WEIGHTS")


def said_by(capsys, main, *options):
    capsys.readouterr()
    main([str(option) for option in options])
    return capsys.readouterr().out


@pytest.fixture
def worrying(tmp_path):
    """A visible image in the infrared folder and the other way round, of narrow ranges, with NoData."""
    for kind in ("vis", "ir"):
        (tmp_path / "set" / kind).mkdir(parents=True)
        numbers = RNG.integers(3000, 5000, (40, 48, 3) if kind == "ir" else (40, 48)).astype(np.uint16)
        numbers[:9] = 7
        tifffile.imwrite(tmp_path / f"set/{kind}/a.tif", numbers, extratags=[(42113, 2, 0, "7", True)], metadata=None)
    folder = tmp_path / "set"
    return ("--visible", folder / "ir", "--infrared", folder / "vis", "--output", tmp_path / "out")


def test_one_pair_is_ten_lines_with_every_danger_in_them(worrying, tmp_path, capsys):
    said = said_by(capsys, test_dcinn_ivf_tno.main, *worrying, "--weights", "untrained")
    lines = said.splitlines()
    assert len(lines) <= MOST_LINES
    assert lines[0].startswith("| a | EN ↑ |")
    assert "| max of the two |" in said
    for words in DANGERS:
        assert words in said
    assert said.count("NoData (7)") == 2, "of either image"
    assert "colour turned to luma" not in said
    assert "3 conversions" in said
    assert str(tmp_path / "out/metrics.md") in said
    assert lines[-1].endswith(f"results in {tmp_path / 'out'}")
    written = (tmp_path / "out/metrics.md").read_text()
    for words in (*DANGERS, "colour turned to luma", "16-bit image divided", "Set apart", "Measured on the 8-bit"):
        assert words in written


def test_verbose_prints_what_is_written(worrying, tmp_path, capsys):
    said = said_by(capsys, test_dcinn_ivf_tno.main, *worrying, "--weights", "untrained", "--verbose")
    assert said.startswith((tmp_path / "out/metrics.md").read_text().rstrip("\n"))
    assert said.splitlines()[-1].endswith(f"results in {tmp_path / 'out'}")


@pytest.mark.parametrize("options", [(), ("--no-metrics",), ("--beside", "ivf_rs", "ivf_tuned")])
def test_one_pair_after_an_earlier_run_is_ten_lines(options, tmp_path, capsys):
    run = ("--data", pairs(tmp_path / "set"), "--output", tmp_path / "out", *options)
    said_by(capsys, test_dcinn_ivf_tno.main, *run)
    said = said_by(capsys, test_dcinn_ivf_tno.main, *run, "--limit", 1)
    assert 1 < said.count("\n") <= MOST_LINES, said
    assert "files of earlier runs moved to" in said
    assert ("Nothing was measured" in said) == ("--no-metrics" in options)
    assert ("further rows" in said) == ("--beside" in options)


def test_one_scene_of_two_resolutions_is_one_table(tmp_path, capsys):
    ms, pan = RNG.integers(1, 2000, (32, 32, 4)).astype(float), RNG.integers(1, 2000, (128, 128)).astype(float)
    savemat(tmp_path / "a.mat", {"I_MS_LR": ms, "I_PAN": pan})
    run = ("--data", tmp_path / "a.mat", "--sensor", "QB", "--weights", "untrained", "--output", tmp_path / "out")
    said = said_by(capsys, test_dcinn_ps.main, *run)
    assert said.count("\n") <= MOST_LINES
    assert said.startswith("| a | SAM ↓ |")
    assert "| HQNR ↑ |" in said.splitlines()[0]
    assert said.count("| EXP (lms) |") == 1
    assert "NO TRAINED WEIGHTS" in said


def test_one_file_has_its_pointer_to_the_option(tmp_path, capsys):
    folder = pairs(tmp_path / "set", "a")
    said = said_by(capsys, test_dcinn_ivf_tno.main, "--data", folder, "--output", tmp_path / "fused.png")
    assert said.count("\n") <= MOST_LINES
    assert "metrics.md" not in said, "there is none"
    assert "(--verbose)" in said
    assert f"results in {tmp_path / 'fused.png'}" in said


def test_a_folder_is_its_tables_then_its_own_remarks(tmp_path, capsys):
    (tmp_path / "set/vi").mkdir(parents=True)
    (tmp_path / "set/ir").mkdir()
    for kind in ("vi", "ir"):
        for name in "ab":
            image = Image.fromarray(RNG.integers(0, 256, (37, 51, 3), np.uint8))
            image.putalpha(200)
            image.save(tmp_path / f"set/{kind}/{name}.png")
    run = ("--data", tmp_path / "set", "--weights", "untrained", "--output", tmp_path / "out")
    said = said_by(capsys, test_dcinn_ivf_tno.main, *run)
    assert said.count("### Infrared-visible fusion") == 2
    assert "**" in said
    order = [said.index(words) for words in ("NO TRAINED", "alpha channel", "colour turned", "Not shown", "results in")]
    assert order == sorted(order)
    assert order[0] > said.rindex("max of the two")
    assert said.count("NO TRAINED") == 1, "once, below both tables"
    for words in ("Set apart", "Measured on the 8-bit", "Mean and sample deviation"):
        assert words not in said
        assert words in (tmp_path / "out/metrics.md").read_text()


def test_dangers_come_before_the_rest(capsys):
    table = Table("t", "ivf_tno", ("EN",), "paper", images=["a", "b"], rows={"m": {"EN": [1.0, 2.0]}})
    table.remark(Convention("how it is computed"), Routine("done"), "a danger")
    tell([table], ["another"], ["last"])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("*", "last"))]
    assert lines == ["* a danger", "* another", "* done", "last"]


def test_scores_of_one_pair(tmp_path, capsys):
    folder = pairs(tmp_path / "set", "a")
    run = ("--task", "ivf", "--data", folder, "--fused", folder / "vi")
    said = said_by(capsys, score.run, *run)
    assert said.count("\n") <= MOST_LINES
    assert said.startswith("| a | EN ↑ |")
    assert "Set apart" in said_by(capsys, score.run, *run, "--verbose")


def test_a_scene_of_many_doubts_is_ten_lines(capsys):
    doubts = [f"doubt {number}." for number in range(30)]
    tell([], doubts, ["8x8 pixels in 1.0 s; results in out"], few=True)
    said = capsys.readouterr().out
    assert said.count("\n") == MOST_LINES
    assert [doubt.removesuffix(".") in said for doubt in doubts] == [True] * 30


def test_remarks_that_share_a_line():
    assert at_most("abc", 3) == ["a", "b", "c"]
    assert at_most(["a.", "b.", "c."], 2) == ["a.", "b; c"]


def test_a_role_before_a_remark_keeps_its_kind():
    kinds = [type(remark) for remark in of_role("visible", [Routine("a"), "b"])]
    assert kinds == [Routine, str]
