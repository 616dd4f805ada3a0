"""Spectral responses as spreadsheets save them, read to the same numbers, and what would be read wrong refused."""

import numpy as np
import pytest
import scipy.io

from data.errors import DataError
from data.simulate import spectral_response
from utils.commandline.errors import UsageError
from utils.commandline.srf_option import read_srf

R = spectral_response()
LINES = [[repr(float(v)) for v in row] for row in R]
WAVES = [[str(400 + 10 * i)] for i in range(31)]


def joined(separator, rows=LINES, end="\r\n", decimal="."):
    return end.join(separator.join(cell.replace(".", decimal) for cell in row) for row in rows) + end


QUOTED = [[f'"{cell}"' for cell in row] for row in LINES]
FORMS = {
    "plain": joined(",", end="\n").encode(),
    "BOM": b"\xef\xbb\xbf" + joined(",").encode(),
    "UTF-16": joined("\t").encode("utf-16"),
    "UTF-16 of the other order": b"\xfe\xff" + joined(",").encode("utf-16-be"),
    "semicolons, decimal commas": joined(";", decimal=",").encode(),
    "semicolons": joined(";").encode(),
    "tabs, decimal commas": joined("\t", decimal=",").encode(),
    "blanks": joined("  ", end="\n").encode(),
    "blanks, decimal commas": joined(" ", decimal=",", end="\n").encode(),
    "commas and blanks": joined(", ").encode(),
    "quotes": joined(",", QUOTED).encode(),
    "quotes, decimal commas": joined(",", QUOTED, decimal=",").encode(),
    "a line of names": joined(";", [["blue", "green", "red"], *LINES], decimal=",").encode(),
    "names of a code page": "bleu;vert;é\r\n".encode("latin-1") + joined(";").encode(),
    "empty lines and columns": ("\r\n" + joined(",", [[*row, "", ""] for row in LINES]) + ",,,,\r\n\r\n").encode(),
    "old Macs": joined(",", end="\r").encode(),
    "sep=": b"sep=;\r\n" + joined(";", decimal=",").encode(),
    "comments": b"# Nikon D700\n" + joined(",", end=" # nm\n").encode(),
    "exponents": "\n".join(";".join(f"{v:.17e}".replace(".", ",") for v in row) for row in R).encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(form, tmp_path, capsys):
    (tmp_path / "r.csv").write_bytes(FORMS[form])
    assert np.array_equal(read_srf(tmp_path / "r.csv"), R)
    said = capsys.readouterr().out
    assert ("a line of names left out" in said) == ("names" in form)


@pytest.mark.parametrize("names", [[], [["wavelength (nm)", "blue", "green", "red"]]])
def test_wavelengths_are_left_out_and_said(names, tmp_path, capsys):
    rows = [*names, *(wave + row for wave, row in zip(WAVES, LINES, strict=True))]
    (tmp_path / "r.csv").write_text(joined(",", rows))
    assert np.array_equal(read_srf(tmp_path / "r.csv"), R)
    assert "r.csv: a first column of wavelengths left out (400 to 700)" in capsys.readouterr().out
    scipy.io.savemat(tmp_path / "r.mat", {"R": np.hstack((np.arange(400.0, 701, 10)[:, None], R))})
    assert np.array_equal(read_srf(tmp_path / "r.mat"), R)
    assert "wavelengths left out" in capsys.readouterr().out


def test_the_table_says_it(tmp_path):
    import test_dcinn_hmf

    (tmp_path / "r.csv").write_text(joined(",", [wave + row for wave, row in zip(WAVES, LINES, strict=True)]))
    run = ["--srf", str(tmp_path / "r.csv"), "--output", str(tmp_path / "out"), "--limit", "1"]
    found = test_dcinn_hmf.main([*run, "--weights", "untrained"])
    assert any("a first column of wavelengths left out" in line for line in found["tables"][0]["remarks"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (joined(",", [[f"{0.4 + 0.01 * i:.2f}", *row] for i, row in enumerate(LINES)]), "columns summing to"),
        (joined(",", [[str(i), *row] for i, row in enumerate(LINES, 1)]), "first column from 1 to 31"),
        (joined(",", [["um", "b", "g", "r"], *([f"{0.4 + i / 90}", *r] for i, r in enumerate(LINES))]), "wavelengths"),
        (joined(",", [[str(700 - 10 * i), *row] for i, row in enumerate(LINES)]), "first column from 700 to 400"),
        (joined(";", [*LINES[:-1], ["0,5", "0", "0"]]), "points and commas"),
        (joined(";", [*LINES[:-1], ["1.234,5", "0", "0"]]), "'1.234,5' in line 31"),
        (joined(",", [*LINES[:-1], ["0", "0"]]), "2 numbers in line 31"),
        (joined(",", [*LINES[:3], ["0", "", "0"], *LINES[4:]]), "'' in line 4|2 numbers in line 4"),
        (joined(",", [*LINES[:3], ["0", "n/a", "0"], *LINES[4:]]), "'n/a' in line 4"),
        (joined(";", [["nm", "450", "550", "650"], *LINES]), "'nm' in line 1"),
        ("", "no numbers"),
        ("a,b\n", "'a' in line 1"),
    ],
)
def test_what_would_be_read_wrong_is_refused(content, message, tmp_path):
    (tmp_path / "r.csv").write_text(content)
    with pytest.raises((DataError, UsageError), match=message) as error:
        read_srf(tmp_path / "r.csv")
    assert "r.csv" in str(error.value)


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "r.csv").write_bytes(joined("\t").encode("utf-16-le"))  # without its mark
    with pytest.raises(DataError, match="in Excel: save as CSV UTF-8"):
        read_srf(tmp_path / "r.csv")
    (tmp_path / "r.csv").write_bytes(b'"' + b"1," * 200_000)
    with pytest.raises(DataError, match=r"r\.csv"):
        read_srf(tmp_path / "r.csv")
