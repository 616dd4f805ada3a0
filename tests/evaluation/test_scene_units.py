"""A scene's bit depth and its samples: what they cannot both be is refused, before anything is fused."""

import numpy as np
import pytest
import tifffile
from tiny_scenes import fuse, geo, ground, stirred_network, write


@pytest.fixture
def folder(tmp_path):
    stirred_network(tmp_path / "w.pth")
    return tmp_path


def put(folder, ms, pan, nodata=None):
    write(folder / "ms.tif", ms, geo(pixel=2.0), nodata)
    write(folder / "pan.tif", pan, geo(), nodata)


def unit(image):
    return (image / np.float32(2047)).astype(np.float32)


@pytest.mark.parametrize("role", ["ms", "pan"])
def test_floats_in_0_to_1_are_no_digital_numbers(role, folder, capsys):
    ms, pan = ground(side=24)
    images = (unit(ms), pan) if role == "ms" else (ms, unit(pan))
    put(folder, *images)
    with pytest.raises(SystemExit):
        fuse(folder)
    error = capsys.readouterr().err
    assert f"{role}.tif: found floats" in error
    assert "expected digital numbers, 0 to 2047 (--bits; 1 for images in [0, 1])" in error
    assert not (folder / "o").exists()


@pytest.mark.parametrize("nodata", [None, "-9999", "nan"])
def test_floats_in_0_to_1_with_their_depth(nodata, folder):
    found = []
    for divisor, bits in ((1, "11"), (np.float32(2047), "1")):
        ms, pan = (image.astype(np.float32) / divisor for image in ground(side=24))
        if nodata:
            ms[:, :3] = pan[:12] = float(nodata)
        put(folder, ms, pan, nodata)
        found.append(fuse(folder, "--bits", bits, output=bits)[1][:, 12:] / (2047 / divisor))
    assert np.abs(found[0] - found[1]).max() < 1e-3


@pytest.mark.parametrize("nodata", ["-9999", "nan"])
def test_nodata_does_not_decide_the_unit(nodata, folder, capsys):
    ms, pan = map(unit, ground(side=24))
    ms[:, :12] = pan[:48] = float(nodata)
    put(folder, ms, pan, nodata)
    with pytest.raises(SystemExit):
        fuse(folder)
    assert "1 for images in [0, 1]" in capsys.readouterr().err


def test_bytes_are_of_eight_bits(folder, capsys):
    ms, pan = ground(side=24)
    put(folder, ms, (pan >> 3).astype(np.uint8))
    with pytest.raises(SystemExit):
        fuse(folder)
    assert (
        "pan.tif: found 8-bit samples, expected samples of the 11 bits asked for, or --bits 8"
        in capsys.readouterr().err
    )
    put(folder, (ms >> 3).astype(np.uint8), (pan >> 3).astype(np.uint8))
    fuse(folder, "--bits", "8")
    assert tifffile.imread(folder / "o/fused.tif").dtype == np.uint8
