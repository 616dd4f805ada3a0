"""NoData of scenes: masked, filled, left out of the means, written back."""

import json

import numpy as np
import pytest
import scipy.io
from scoring import refused, run
from tiny_scenes import fuse, geo, ground, stirred_network, write

import test_dcinn_ps

BORDER = (slice(0, 8), slice(0, 12))  # MS rows above and columns left of the measurements


@pytest.fixture
def scene(tmp_path):
    """MS and pan of real ground, a folder with weights in it."""
    stirred_network(tmp_path / "w.pth")
    return *ground(), tmp_path


def mask(border=BORDER, ratio=1, side=48):
    masked = np.zeros((side * ratio, side * ratio), bool)
    masked[: border[0].stop * ratio] = masked[:, : border[1].stop * ratio] = True
    return masked


def bordered(ms, pan, value=0):
    ms, pan = ms.copy(), pan.copy()
    ms[:, mask()], pan[mask(ratio=4)] = value, value
    return ms, pan


def put(folder, ms, pan, nodata=None, pan_nodata=None):
    write(folder / "ms.tif", ms, geo(pixel=2.0), nodata)
    write(folder / "pan.tif", pan, geo(), pan_nodata or nodata)


@pytest.mark.parametrize("tile", [0, 96])
@pytest.mark.parametrize("pooling", ["scene", "tile"])
def test_a_border_does_not_move_the_pixels_inside(tile, pooling, scene):
    ms, pan, folder = scene
    found = {}
    for name, images, nodata in (
        ("real", (ms, pan), None),
        ("zeros", bordered(ms, pan), None),
        ("nodata", bordered(ms, pan), "0"),
    ):
        put(folder, *images, nodata)
        found[name] = fuse(folder, "--pooling", pooling, output=name, tile=tile)[1].astype(int)
    inside = (slice(None), slice(32 + 32, -48), slice(48 + 32, -48))
    beside = (slice(None), slice(32, 36), slice(48, -48))
    for where, share in ((inside, 0.6), (beside, 0.15)):
        zeros, nodata = (np.abs(found[k] - found["real"])[where].mean() for k in ("zeros", "nodata"))
        assert nodata < share * zeros, (nodata, zeros)


@pytest.mark.parametrize("tile", [0, 96])
def test_the_fused_file_says_which_pixels_are_measured(tile, scene, capsys):
    ms, pan, folder = scene
    ms, pan = bordered(ms, pan)
    ms[:, 30:33, 40:42] = 0  # a hole of the MS image alone
    pan[100:107, 90:93] = 0  # and of the pan
    put(folder, ms, pan, "0")
    result, fused, tags = fuse(folder, tile=tile)
    masked = mask(ratio=4)
    masked[120:132, 160:168] = masked[100:107, 90:93] = True
    assert tags[42113] == "0"
    assert ((fused == 0).all(axis=0) == masked).all()
    assert ((fused == 0).any(axis=0) == masked).all()
    assert "NoData in 37.82% of the fused pixels, written as 0" in result["notes"][0]
    assert result["notes"][0] in capsys.readouterr().out


def test_a_value_that_no_pixel_has_changes_nothing(scene):
    ms, pan, folder = scene
    put(folder, ms, pan)
    plain = fuse(folder, output="plain")
    put(folder, ms, pan, "65535")
    result, fused, tags = fuse(folder)
    assert (fused == plain[1]).all()
    assert 42113 not in plain[2]
    assert tags[42113] == "65535"
    assert result["notes"] == plain[0]["notes"] == []


def test_nan_and_values_out_of_range(scene):
    ms, pan, folder = scene
    floats = bordered(ms.astype(np.float32), pan.astype(np.float32), np.nan)
    put(folder, *floats, "nan")
    _, nan, tags = fuse(folder, output="nan")
    assert nan.dtype == np.float32
    assert tags[42113] == "nan"
    assert (np.isnan(nan) == mask(ratio=4)).all()
    put(folder, *bordered(ms, pan, 65535), "65535")
    _, high, tags = fuse(folder, output="high")
    assert ((high == 65535) == mask(ratio=4)).all()
    assert np.abs(np.where(mask(ratio=4), 0, high - nan.clip(0, 2047))).max() <= 0.51
    ms, pan = bordered(ms, pan, 65535)
    ms[0, 30, 30] = 65535  # one band is enough of a value that cannot be measured
    put(folder, ms, pan, "65535")
    assert (fuse(folder, output="band")[1][:, 120:124, 120:124] == 65535).all()


def test_the_value_of_a_file_whose_type_cannot_hold_it(scene):
    ms, pan, folder = scene
    masked_pan = bordered(ms, pan)[1]
    masked_ms = ms.astype(np.int16)
    masked_ms[:, mask()] = -9999
    write(folder / "ms.tif", masked_ms, geo(pixel=2.0), "-9999")
    write(folder / "pan.tif", pan, geo())
    _, fused, tags = fuse(folder)
    assert tags[42113] == "0"
    assert ((fused == 0).all(axis=0) == mask(ratio=4)).all()
    write(folder / "pan.tif", masked_pan, geo(), "0")
    again = fuse(folder, output="again")
    assert again[2][42113] == "0"
    assert ((again[1] == 0).all(axis=0) == mask(ratio=4)).all()


def test_an_untagged_border_is_said_and_can_be_declared(scene, capsys):
    ms, pan, folder = scene
    put(folder, *bordered(ms, pan))
    notes = fuse(folder, output="said")[0]["notes"]
    assert len(notes) == 2
    assert all("border of zeros" in note and "--nodata 0" in note for note in notes)
    declared, fused, tags = fuse(folder, "--nodata", "0", output="declared")
    assert tags[42113] == "0"
    put(folder, *bordered(ms, pan), "7")  # overridden
    assert (fuse(folder, "--nodata", "0", output="over")[1] == fused).all()
    assert len(declared["notes"]) == 1
    with pytest.raises(SystemExit):
        test_dcinn_ps.main(["--nodata", "0"])
    assert "--nodata: found without --ms and --pan" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("all", "found NoData (0) in every pixel"),
        ("none in common", "found NoData wherever the MS image is measured"),
        ("text", "found GDAL_NODATA 'no', expected a number (--nodata)"),
        ("nan", "NaN for NoData: --nodata nan"),
        ("option", "found 'x', expected a number"),
    ],
)
def test_scenes_without_measurements(case, message, scene, capsys):
    ms, pan, folder = scene
    ms, pan, nodata, more = ms.copy(), pan.copy(), "0", []
    if case == "all":
        pan[:] = 0
    elif case == "none in common":
        ms[:, :, :20], pan[:, 80:] = 0, 0
    elif case == "text":
        nodata = "no"
    elif case == "nan":
        pan, nodata = pan.astype(np.float32), None
        pan[3, 4] = np.nan
    else:
        more = ["--nodata", "x"]
    put(folder, ms, pan, nodata)
    with pytest.raises(SystemExit) as stop:
        fuse(folder, *more)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err.strip().splitlines()[-1]
    assert not (folder / "o").exists()


def test_metrics_refuse_nodata_and_say_borders_of_zeros(scene, capsys):
    ms, pan, folder = scene
    ms, pan = bordered(ms, pan)
    scipy.io.savemat(folder / "s.mat", {"I_MS_LR": np.moveaxis(ms, 0, -1), "I_PAN": pan})
    fused = np.kron(ms, np.ones((1, 4, 4), np.uint16))
    options = ["--task", "ps", "--data", str(folder / "s.mat"), "--fused", str(folder / "f.tif"), "--sensor", "none"]
    write(folder / "f.tif", fused, nodata="0")
    error = refused(capsys, *options)
    assert "found NoData (0) in 13824 pixels, expected measured pixels alone" in error
    write(folder / "f.tif", fused)
    remarks = run(*options)["tables"][0]["remarks"]
    assert sum("are a border of zeros" in line for line in remarks) == 2
    test_dcinn_ps.main(
        ["--data", str(folder / "s.mat"), "--weights", str(folder / "w.pth"), "--output", str(folder / "o")]
    )
    remarks = json.loads((folder / "o/metrics.json").read_text())["tables"][1]["remarks"]
    assert any("38% of the pan are a border of zeros" in line for line in remarks)
