"""Tables: what stands in them, what is set apart, the marks, the formats."""

import csv
import io
import json
import re

import pytest

from metrics import ag, en, published, table_text
from metrics.table import Table

TNO8 = ("2", "3", "4", "5", "6", "7", "8", "10")


def table(task="x", metrics=("EN",), images=("a",), rows=None, **about):
    made = Table("t", task, metrics, **about)
    for i, name in enumerate(images):
        made.images.append(name)
        for method, values in (rows or {"ours": {m: [6.0] * len(images) for m in metrics}}).items():
            made.add(method, {m: lambda v=values[m][i]: v for m in metrics})
    return made


def names(made):
    return [name for name, _ in table_text.lines(made)]


def test_a_published_row_stands_beside_ours_only_on_the_same_images_and_protocol():
    beside = "DCINN [DCINN paper Table 7]"
    assert beside in names(table("ivf_tno", images=TNO8, protocol="paper"))
    assert beside in names(table("ivf_rs", images=TNO8[::-1], protocol="paper")), "the other script, any order"
    for other in (
        table("ivf_tno", images=TNO8, protocol="cddfuse"),
        table("ivf_tno", images=(*TNO8, "11"), protocol="paper"),
        table("ivf_tno", images=TNO8[:-1], protocol="paper"),
        table("ivf_tno", images=TNO8, protocol="paper", comparable=False),
        table("ps_full", images=TNO8, protocol="paper"),
    ):
        assert names(other) == ["ours"]
        assert "| DCINN" not in table_text.markdown(other)
    apart = table_text.markdown(table("ivf_tno", images=("a",), protocol="paper"))
    assert "Set apart, other images or protocol (DCINN paper Table 7; TNO, 8 pairs" in apart
    assert "EN 6.6371, 2EN 13.2743, SD* 67.9157, MEF-SSIM 0.8896" in apart
    assert "CDDFuse" not in apart, "not even quoted: its SD is another quantity"
    incomparable = table_text.markdown(table("ivf_tno", images=TNO8, protocol="paper", comparable=False))
    assert "Set apart" in incomparable


@pytest.mark.parametrize(
    ("about", "beside", "apart"),
    [
        (("hmf", "group", "cave_11", 4, None), "DCINN [DCINN paper Table 5]", "Harvard x4"),
        (("hmf", "group", "cave_11", 8, None), "DCINN [DCINN paper Table 4]", "Harvard x8"),
        (("ivf_tno", "cddfuse", "tno_25", None, None), "CDDFuse [CDDFuse README figure]", None),
        (("ivf_rs", "cddfuse", "roadscene_50", None, None), "CDDFuse [CDDFuse README figure]", None),
        (
            ("ps_reduced", "toolbox", "pancollection_wv2_reduced", 4, "WV2"),
            "DCINN [DCINN paper Table 3]",
            "WV3, 78 images",
        ),
        (("ps_full", "toolbox", "pancollection_wv3_full", 4, "WV3"), "FusionNet [CANConv Table 1]", "WV3, 200 images"),
    ],
)
def test_each_protocol_finds_its_tables(about, beside, apart):
    task, protocol, images, ratio, sensor = about
    made = table(task, ("SAM",), published.image_set(images), protocol=protocol, ratio=ratio, sensor=sensor)
    assert beside in names(made)
    quoted = " ".join(row["data"] for row in made.published()[1])
    assert (apart or "Table 7") not in quoted if apart is None else apart in quoted
    if task == "hmf":
        assert all(f"x{12 - ratio}" not in row["data"] for rows in made.published() for row in rows), "one ratio"


def test_metrics_of_our_own_protocol_are_never_beside_published_ones():
    images = published.image_set("pancollection_wv3_reduced")
    for protocol in ("whole", "released"):
        made = table("ps_reduced", ("SAM",), images, protocol=protocol, ratio=4, sensor="WV3")
        assert names(made) == ["ours"]
        assert "DCINN" in {row["method"] for row in made.published()[1]}


def test_rows_of_other_sensors_are_not_quoted():
    made = table("ps_reduced", ("SAM",), ("a",), protocol="toolbox", ratio=4, sensor="QB")
    quoted = [(row["method"], row["data"][:3]) for row in made.published()[1]]
    assert ("EXP", "QB,") in quoted
    assert ("DCINN", "WV3") in quoted
    assert not [data for method, data in quoted if method == "EXP" and data != "QB,"]


def test_mean_sample_deviation_and_direction():
    made = table("x", ("SAM", "PSNR", "Q"), "abc", {"ours": {key: [1.0, 2.0, 4.0] for key in ("SAM", "PSNR", "Q")}})
    assert made.summary()["ours"]["SAM"] == {"mean": pytest.approx(7 / 3), "std": pytest.approx(1.5275252), "count": 3}
    assert "| method | SAM ↓ | PSNR ↑ | Q |" in table_text.markdown(made)
    assert "2.3333 ± 1.5275" in table_text.markdown(made)
    assert "(3 images)" in table_text.markdown(made)
    assert "| 6.0000 |" in table_text.markdown(table()), "one image has no deviation"


def test_best_and_second_follow_the_direction_and_include_published_rows():
    rows = {m: {"PSNR": [v, v], "SAM": [v, v]} for m, v in (("low", 1.0), ("mid", 2.0), ("high", 3.0))}
    ranks = {
        name: [mark for _, mark in cells] for name, cells in table_text.lines(table("x", ("PSNR", "SAM"), "ab", rows))
    }
    assert ranks == {"low": [None, "best"], "mid": ["second", "second"], "high": ["best", None]}
    rows = {"ours": {"EN": [6.7] * 8}, "bad": {"EN": [1.0] * 8}}
    ranks = {
        name: cells[0][1] for name, cells in table_text.lines(table("ivf_tno", ("EN",), TNO8, rows, protocol="paper"))
    }
    assert {name: mark for name, mark in ranks.items() if mark} == {
        "YDTR [DCINN paper Table 7]": "best",
        "ours": "second",
    }


def test_what_is_not_ranked():
    rows = {"ours": {"D_s": [0.2, 0.2]}, "partial": {"D_s": [0.1, float("nan")]}, "exp": {"D_s": [0.0, 0.0]}}
    made = table("x", ("D_s",), "ab", rows | {"equal": {"D_s": [0.2, 0.2]}, "worse": {"D_s": [0.3, 0.3]}})
    made.unranked.add(("exp", "D_s"))
    ranks = {name: cells[0][1] for name, cells in table_text.lines(made)}
    assert ranks == {"ours": "best", "partial": None, "exp": None, "equal": "best", "worse": "second"}
    assert "D_s left empty where it is undefined" in table_text.markdown(made)
    assert [mark for _, cells in table_text.lines(table("x", ("EN",))) for _, mark in cells] == [None], (
        "one row is no contest"
    )


def test_a_metric_that_refuses_an_image_leaves_its_cell_empty():
    import numpy as np

    made = Table("t", "x", ("AG", "EN"))
    made.images.append("pixel")
    made.add("ours", {"AG": lambda: ag(np.zeros((1, 1))), "EN": lambda: en(np.zeros((1, 1)))})
    assert "| ours |  | 0.0000 |" in table_text.markdown(made)
    assert "AG left empty" in table_text.markdown(made)
    assert table_text.csv_rows(made).splitlines() == ["x,pixel,ours,AG,", "x,pixel,ours,EN,0.0"]


def test_csv_json_and_latex_hold_the_same():
    rows = {"a_b & 50%": {"SD*": [1.0, 2.0]}, "c": {"SD*": [0.5, 0.5]}}
    made = table("ivf_tno", ("SD*",), ("x", 'y,"z"'), rows, protocol="paper")
    made.remark("A remark\nof two lines")
    lines = list(csv.reader(io.StringIO(table_text.CSV_HEADER + table_text.csv_rows(made))))
    assert lines[0] == ["table", "image", "method", "metric", "value"]
    assert lines[2] == ["ivf_tno:paper", 'y,"z"', "a_b & 50%", "SD*", "2.0"]
    content = json.loads(json.dumps(made.as_dict(), allow_nan=False))
    assert content["values"]["c"]["SD*"] == [0.5, 0.5]
    assert content["protocol"] == "paper"
    latex = table_text.latex(made)
    assert r"a\_b \& 50\% & \textbf{1.5000 $\pm$ 0.7071} \\" in latex
    assert r"c & \underline{0.5000 $\pm$ 0.0000} \\" in latex
    assert r"SD* $\uparrow$" in latex
    assert "% A remark of two lines" in latex.splitlines()
    assert latex.count("{") == latex.count("}")


def test_latex_sets_published_rows_below_a_rule():
    latex = table_text.latex(table("ivf_tno", images=TNO8, protocol="paper"))
    assert re.search(r"ours & \S+ .*\\\\\n\\midrule\nNSCT \[DCINN paper Table 7\] & 6.2322 \\\\", latex)


def sized(sizes):
    made = Table("t", "hmf", ("PSNR",), "group", ratio=4)
    for name, size in zip(published.image_set("cave_11"), sizes, strict=True):
        made.image(name, size)
        made.add("ours", {"PSNR": lambda: 40.0})
    return made


def test_images_of_the_same_names_and_another_size_are_set_apart():
    assert "DCINN [DCINN paper Table 5]" in names(sized([(512, 512)] * 11))
    cropped = sized([(512, 512)] * 10 + [(512, 508)])
    assert names(cropped) == ["ours"]
    assert "Set apart, other images or protocol (DCINN paper Table 5; CAVE x4" in table_text.markdown(cropped)


def test_rows_of_another_sensor_are_not_beside_ours():
    images = published.image_set("pancollection_wv2_reduced")
    about = {"metrics": ("SAM",), "images": images, "protocol": "toolbox", "ratio": 4}
    assert "DCINN [DCINN paper Table 3]" in names(table("ps_reduced", sensor="wv2", **about))
    assert names(table("ps_reduced", sensor="WV3", **about)) == ["ours"]


def test_other_peoples_protocol_is_quoted_but_never_beside_ours():
    about = {"protocol": "toolbox", "ratio": 4, "sensor": "WV2"}
    made = table("ps_reduced", ("SAM",), published.image_set("pancollection_wv2_reduced"), **about)
    assert not [name for name in names(made) if "ZSPan" in name]
    assert "ZSPan" in {row["tag"] for row in made.published()[1]}


def test_a_perfect_image_has_an_infinite_psnr_that_ranks_first_and_is_kept():
    inf = float("inf")
    rows = {"perfect": {"PSNR": [inf, 40.0]}, "good": {"PSNR": [41.0, 40.0]}}
    made = table("x", ("PSNR",), "ab", rows)
    assert made.summary()["perfect"]["PSNR"]["mean"] == inf
    assert {name: cells[0][1] for name, cells in table_text.lines(made)} == {"perfect": "best", "good": "second"}
    content = json.loads(json.dumps(made.as_dict(), allow_nan=False))
    assert content["values"]["perfect"]["PSNR"] == ["inf", 40.0]
    assert "inf" in table_text.csv_rows(made)


def test_values_that_print_alike_share_their_rank():
    rows = {"a": {"EN": [6.00001]}, "b": {"EN": [6.00002]}, "c": {"EN": [5.0]}}
    ranks = {name: cells[0][1] for name, cells in table_text.lines(table("x", ("EN",), "x", rows))}
    assert ranks == {"a": "best", "b": "best", "c": "second"}


def test_a_mean_over_fewer_images_says_so():
    rows = {"ours": {"CC": [0.5, float("nan"), 0.7]}}
    assert "| ours | 0.6000 ± 0.1414 (2 of 3) |" in table_text.markdown(table("x", ("CC",), "abc", rows))


def test_published_digits_are_printed_as_they_were():
    made = table("ivf_tno", ("SD",), published.image_set("tno_25"), protocol="cddfuse")
    assert "46.00" in {name: cells[0][0] for name, cells in table_text.lines(made)}["CDDFuse [CDDFuse README figure]"]


def test_names_cannot_break_the_table():
    made = table("x", ("EN",), rows={"two\nlines | and a bar": {"EN": [1.0]}})
    made.title = "of\ntwo lines"
    assert "| two lines / and a bar |" in table_text.markdown(made)
    assert table_text.markdown(made).splitlines()[0] == "### of two lines (1 image)"
