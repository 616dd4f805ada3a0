"""Bad pairs of images at the door of the ivf scripts: one clear line, exit code 2, nothing written."""

import shutil

import numpy as np
import pytest
from bad_files import (
    gray,
    pair_folders,
    refused,
    tiff_pair,
    truncated,
    truncated_jpeg,
    twice,
    two_visible_folders,
    unmatched,
    written,
)

import test_dcinn_ivf_rs
import test_dcinn_ivf_tno

SCRIPTS = {"rs": test_dcinn_ivf_rs, "tno": test_dcinn_ivf_tno}

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
    "floats whose zero is white": (
        "tno",
        lambda t: ["--data", tiff_pair(t, np.zeros((32, 32), np.float32), photometric="miniswhite")],
        ["a.tif", "float32 samples whose zero is white"],
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
    "only one of two folders": ("tno", lambda t: ["--visible", pair_folders(t) / "vi"], ["--infrared", "both"]),
    "results into a file": ("tno", lambda t: ["--output", written(t / "out")], ["out", "expected a folder"]),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_exit_two_nothing_written(case, tmp_path, capfd, monkeypatch):
    script, make, words = CASES[case]
    monkeypatch.chdir(tmp_path)
    refused(SCRIPTS[script].main, make, words, tmp_path, capfd)
