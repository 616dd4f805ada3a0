"""Names of files and methods that are orders to a terminal, formulas to a spreadsheet, HTML in markdown."""

import csv
import io
import json
import os
import sys
import unicodedata

import h5py
import numpy as np
import pytest
from matplotlib.figure import Figure
from outputs import ended, one_line, pairs

import test_dcinn_ivf_tno
import test_dcinn_ps
from data import DataError, PairedImages
from metrics import table_text
from metrics.outside_text import in_csv, in_latex, in_markdown, line_in_markdown, shown
from metrics.table import Table
from models import CheckpointError, load_pretrained
from models.weights import atomic
from utils.commandline.errors import single_line_errors
from utils.commandline.terminal import ERR, OUT, HarmlessStream
from utils.evaluation import score

ESCAPES = "a\x1b[31mRED\x1b]0;owned\x07\x9b2J\x7f\u202egnp.exe\u2066\u2028\x85b"
ODD = os.fsdecode(b"\xff\xfebad")
NAMES = (
    "plain",
    ESCAPES,
    "x\ny\rz\tw",
    "=cmd|' C calc'!A0",
    "<img src=x onerror=alert(1)>",
    "[a](javascript:b)`c`",
    ODD,
)


def is_harmless(text, kept="\n"):
    return all(c in kept or c.isprintable() for c in text) and not set(text) & set(ESCAPES) - set(
        map(chr, range(32, 127))
    )


def made(names=NAMES, method=ESCAPES):
    table = Table(f"of {ESCAPES}\n# title", "x", ("EN",), images=list(names), sizes=[(8, 8)] * len(names))
    table.rows = {method: {"EN": [-1.0] * len(names)}}
    table.remark(f"{NAMES[4]} & {NAMES[5]} {ESCAPES}\n# a heading, in [0, 1]")
    return table


def test_shown_is_one_line_that_can_be_printed():
    assert shown("DCINN (größe 図　é)") == "DCINN (größe 図　é)"
    assert shown("a\x1b[0m\n\t\r\x9b\x7f\u202e\u2028\U000e0001") == r"a\x1b[0m\n\t\r\x9b\x7f\u202e\u2028\U000e0001"
    assert shown(ODD) == r"\xff\xfebad"
    every = shown("".join(map(chr, range(sys.maxunicode + 1))))
    assert not {unicodedata.category(c) for c in every} & {"Cc", "Cf", "Cs", "Zl", "Zp", "Cn"}
    every.encode()


def test_models_shows_the_same():
    """It imports nothing of the other folders, so it has its own."""
    every = [
        chr(code) for code in range(sys.maxunicode + 1) if chr(code) not in "\n\r\t\x0b\x0c" and not chr(code).isspace()
    ]
    assert atomic.one_line("".join(every), len(every) * 10) == shown("".join(every))
    assert atomic.one_line("a\tb \n c\r\nd", 99) == r"a\tb c d"


@pytest.mark.parametrize("write", [table_text.markdown, table_text.latex, table_text.csv_rows])
def test_no_table_has_control_characters(write):
    text = write(made())
    assert is_harmless(text), ascii(text)
    text.encode()


def test_cells_that_a_spreadsheet_would_compute():
    for name in ("=1+1", "+1", "-1", "@SUM(1)", "  =1", "%1", "|x", "＝1"):
        assert in_csv(name) == f"'{name}"
    assert in_csv("\t=1") == r"\t=1"
    assert in_csv("\r=1") == r"\r=1"
    assert in_csv("a=1") == "a=1"
    for value in (-1.5, 3, None, float("-inf")):
        assert in_csv(value) is value
    rows = list(csv.reader(io.StringIO(table_text.csv_rows(made(method='=HYPERLINK("http://x","y")')))))
    assert [row[1] for row in rows] == [in_csv(name) for name in NAMES]
    assert {row[2] for row in rows} == {'\'=HYPERLINK("http://x","y")'}
    assert {float(row[4]) for row in rows} == {-1}
    assert not any(cell[:1] in ("=", "+", "-", "@", "\t", "\r") for row in rows for cell in row[:4])


def test_names_are_nothing_but_text_in_markdown():
    for name in (*NAMES, "a | b", "&lt;b&gt;", "**best**", "![x](http://t)"):
        assert not set(in_markdown(name)) & set("<>|`[]*\n"), name
    assert in_markdown("a&b & c_d") == "a&b & c_d"
    assert in_markdown("&lt;") == "&amp;lt;"
    assert line_in_markdown("values in [0, 1]") == "values in [0, 1]"
    text = table_text.markdown(made(method="<b>|x"))
    assert not {"<", ">", "`"} & set(text)
    assert "](" not in text
    assert [line for line in text.splitlines() if line.startswith("#")] == text.splitlines()[:1]
    assert "| &lt;b&gt;/x |" in text


def test_names_are_nothing_but_text_in_latex():
    assert in_latex(r"\input{/etc/passwd}") == r"\textbackslash{}input\{/etc/passwd\}"
    assert in_latex("[9cm]") == "{}[9cm]"
    assert in_latex("* x") == "{}* x"
    assert in_latex("a\n%b^^M") == r"a \%b\textasciicircum{}\textasciicircum{}M"
    assert [line[:2] for line in table_text.latex(made()).splitlines()][-1] == "% "


def test_messages(tmp_path):
    for error in (DataError(f"{ESCAPES}\n/x", ESCAPES, f"a\n{ODD}"), CheckpointError(f"{ESCAPES}\n{ODD}")):
        assert is_harmless(str(error), ""), ascii(str(error))
    with pytest.raises(CheckpointError) as stop:
        load_pretrained(tmp_path / f"{ESCAPES}\n.pth")
    assert is_harmless(str(stop.value), "")
    assert r"\x1b[31m" in str(stop.value)


def test_streams_let_the_progress_bar_through_and_nothing_else():
    out, err = io.StringIO(), io.StringIO()
    assert HarmlessStream(out, OUT).write(f"{ESCAPES}\r\n") == len(ESCAPES) + 2
    assert out.getvalue() == f"{shown(ESCAPES)}\\r\n"
    HarmlessStream(err, ERR).write(f"\r 3%|\n\x1b[A\x1b[2J{ODD}")
    assert err.getvalue() == "\r 3%|\n\x1b[A\\x1b[2J\\xff\\xfebad"
    assert HarmlessStream(out, OUT).isatty() is False


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_whatever_a_command_prints(stream, capsys):
    single_line_errors(lambda argv: print(ESCAPES, ODD, file=getattr(sys, stream)))([])
    captured = getattr(capsys.readouterr(), "out" if stream == "stdout" else "err")
    assert captured == f"{shown(ESCAPES)} {shown(ODD)}\n"
    assert not isinstance(getattr(sys, stream), HarmlessStream)


def test_scoring_files_of_such_names(tmp_path, capfd):
    names = [name for name in NAMES if "/" not in name]
    data = pairs(tmp_path / f"set{ESCAPES}\n", *names)
    options = ("--task", "ivf", "--data", data, "--fused", data / "vi", "--name", f"={ESCAPES}<b>\\input{{x}}")
    single_line_errors(score.run)([str(o) for o in (*options, "--output", tmp_path / "out")])
    captured = capfd.readouterr()
    assert is_harmless(captured.out), ascii(captured.out)
    assert is_harmless(captured.err), ascii(captured.err)
    for suffix in ("csv", "md", "tex"):
        text = (tmp_path / f"out/metrics.{suffix}").read_text(encoding="utf-8")
        assert is_harmless(text), suffix
        assert "<b>" not in text or suffix != "md"
    cells = list(csv.reader((tmp_path / "out/metrics.csv").open(encoding="utf-8", newline="")))
    assert not any(cell[:1] in ("=", "+", "-", "@") for row in cells for cell in row[:4])
    assert set(json.loads((tmp_path / "out/metrics.json").read_text())["tables"][0]["images"]) == set(names)


def test_fusing_files_of_such_names(tmp_path, capfd, monkeypatch):
    titles = []
    monkeypatch.setattr(Figure, "suptitle", lambda self, text, **_: titles.append(text))
    data = pairs(tmp_path / f"set{ESCAPES}", ESCAPES, ODD)
    out = tmp_path / f"out{ESCAPES}\n"
    test_dcinn_ivf_tno.main(
        [str(o) for o in ("--data", data, "--output", out, "--weights", "untrained", "--no-metrics")]
    )
    captured = capfd.readouterr()
    assert is_harmless(captured.out + captured.err), ascii(captured)
    assert captured.out.splitlines()[-1].endswith(shown(out))
    assert all(is_harmless(title) for title in titles)
    assert {p.stem for p in (out / "fused").iterdir()} == {pair["name"] for pair in PairedImages(data)}, "as the inputs"


@pytest.mark.parametrize("option", ["--data", "--weights", "--output", "--srf", "--protocol"])
def test_one_harmless_line_for_options(option, tmp_path, capfd):
    main = test_dcinn_ivf_tno.main
    given = {"--data": pairs(tmp_path / "set"), "--weights": "untrained", "--output": tmp_path / "out"}
    given[option] = f"/dev/null/{ESCAPES}\nx"
    ended(main, *(str(word) for pair in given.items() for word in pair))
    line = one_line(capfd)
    assert is_harmless(line), ascii(line)


def test_keys_of_a_file(tmp_path, capfd):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file[ESCAPES], file["b\nc"] = np.zeros((2, 2)), 1
    ended(test_dcinn_ps.main, "--data", tmp_path / "a.h5", "--output", tmp_path / "out", "--weights", "untrained")
    line = one_line(capfd)
    assert r"\x1b[31mRED" in line
    assert is_harmless(line), ascii(line)
