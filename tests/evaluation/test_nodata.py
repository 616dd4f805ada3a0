"""NoData of scenes: masked, filled, left out of the means, written back."""

import json

import numpy as np
import pytest
import scipy.io
import tifffile
import torch
from scoring import refused, run
from tiny_scenes import fuse, geo, ground, stirred_network, write

import test_dcinn_ps
from data.errors import DataError
from data.files.nodata import MeasuredWindows, zero_border
from data.files.raster_windows import Windows
from models.layers import SqueezeExcite
from models.scene_pooling import ScenePooling
from utils.evaluation.pan_scene_by_tiles import _store
from utils.tiling import Tiling, sampled

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


def test_what_is_filled_does_not_depend_on_the_window(tmp_path):
    rng = np.random.default_rng(0)
    image = rng.integers(1, 2000, (3, 150, 420)).astype(np.uint16)
    y, x = np.mgrid[:150, :420]
    image[:, (x < 100 + np.maximum(y - 80, 0)) | ((x - 330) ** 2 + (y - 90) ** 2 < 900)] = 0
    write(tmp_path / "i.tif", image, nodata="0")
    windows = MeasuredWindows(Windows(tmp_path / "i.tif"), 0, 2047)
    whole, valid = windows.read((0, 150), (0, 420)), windows.valid((0, 150), (0, 420))
    assert (valid == image.all(axis=0)).all()
    assert (whole[:, valid] == image[:, valid]).all()
    assert (whole > 0).all()
    assert whole[0, 0, 0] == np.float32(image[0, valid].mean(dtype=np.float64)), "far from all measurements: the means"
    assert (whole[:, 20, 99:79:-1] == image[:, 20, 100:120]).all(), "mirrored"
    for rows, columns in (((0, 64), (0, 64)), ((40, 104), (300, 364)), ((33, 34), (101, 240)), ((100, 150), (0, 420))):
        window = (slice(None), slice(*rows), slice(*columns))
        assert (windows.read(rows, columns) == whole[window]).all()
        assert (windows.valid(rows, columns) == valid[window[1:]]).all()


def test_masked_pixels_are_not_in_the_means(tmp_path):
    model = stirred_network(tmp_path / "w.pth")
    with ScenePooling(model) as pooling:
        x = torch.rand(1, 5, 18, 14)
        x[..., :6, :] = 100
        pooling.valid = torch.ones(1, 1, 17, 13)  # the network pads it to 18 x 14
        pooling.valid[..., :6, :] = 0
        expected = x[..., 6:17, :13].mean(dim=(2, 3), keepdim=True)
        assert torch.allclose(pooling.pooled(x)[0], expected)
        assert pooling.pooled(torch.nn.functional.avg_pool2d(x, 2))[0].max() < 1


def test_a_tile_counts_by_its_measured_pixels(tmp_path):
    model = stirred_network(tmp_path / "w.pth")
    layers = [m for m in model.modules() if isinstance(m, SqueezeExcite)]
    with ScenePooling(model) as pooling:
        for rows, level in ((8, 0.2), (2, 0.8)):
            pooling.valid = torch.zeros(1, 1, 8, 8)
            pooling.valid[..., :rows, :] = 1
            for layer in layers:
                layer.pooling(torch.full((1, layer.squeeze.in_channels, 8, 8), level))
        pooling.use()
        for layer in layers:
            means = layer.pooling(torch.rand(2, layer.squeeze.in_channels, 8, 8))
            assert means.shape == (2, layer.squeeze.in_channels, 1, 1)
            assert torch.allclose(means, torch.tensor((0.2 + 0.8 / 4) / 1.25))


def test_tiles_without_measurements_give_no_means():
    tiling = Tiling(4000, 4000, 128)
    valid = lambda rows, columns: np.arange(*columns)[None] >= 3500 + np.zeros((rows[1] - rows[0], 1))  # noqa: E731
    found = sampled(tiling, valid)
    assert len(set(found)) == 64
    assert all(tiling.columns[column][1] > 3500 for _, column in found)
    assert min(row for row, _ in found) <= 1
    assert max(row for row, _ in found) >= len(tiling.rows) - 2
    assert len({column for _, column in found}) == sum(end > 3500 for _, end in tiling.columns)


@pytest.mark.parametrize(
    ("dtype", "nodata", "expected", "scale"),
    [
        ("u1", 0, 1, 2047),
        ("u2", 2047, 2046, 2047),
        ("f4", 100, 101, 2047),
        ("u1", 255, 254, 255),
        ("u2", 65535, 65534, 65535),
    ],
)
def test_valid_pixels_keep_off_the_value(dtype, nodata, expected, scale, tmp_path):
    path = tmp_path / "fused.tif"
    tifffile.memmap(path, shape=(2, 3, 4), dtype=dtype, planarconfig="contig", photometric="minisblack").flush()
    valid = np.array([[True, True, False], [True, False, True]])
    part = torch.full((4, 2, 3), np.float32(nodata) / scale)
    _store(path, 0, part, scale, "the weights", np.dtype(dtype).type(nodata), valid)
    assert (tifffile.imread(path)[..., 0] == np.where(valid, expected, nodata)).all()


def test_blocks_that_a_file_leaves_out_are_nodata(tmp_path):
    image = np.full((64, 64), 9, np.uint16)
    write(tmp_path / "i.tif", image, nodata="77", tile=(32, 32), compression="deflate")
    with tifffile.TiffFile(tmp_path / "i.tif", mode="r+b") as tiff:
        counts = tiff.pages[0].tags[325]
        offsets = tiff.pages[0].tags[324]
        counts.overwrite([0, *counts.value[1:]])
        offsets.overwrite([0, *offsets.value[1:]])
    stored = Windows(tmp_path / "i.tif").stored((0, 64), (0, 64))[0]
    assert (stored[:32, :32] == 77).all()
    assert (stored[32:] == 9).all()


def test_a_dark_lake_is_no_border():
    image = np.full((2, 40, 50), 5)
    image[:, 10:20, 10:30] = 0
    assert zero_border(image) == 0
    image[0, :, :10] = 0  # one band
    assert zero_border(image) == 0
    image[:, :, :10] = 0
    assert zero_border(image) == 600 / 2000
    assert zero_border(np.zeros((1, 3000, 2100))) == 1


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


def test_infinity_is_no_nodata(tmp_path):
    image = np.ones((1, 8, 8), np.float32)
    image[0, 0, 0], image[0, 4, 4] = np.nan, np.inf
    np.save(tmp_path / "i.npy", image)
    with pytest.raises(DataError, match="NaN or infinity"):
        MeasuredWindows(Windows(tmp_path / "i.npy", bands=1), np.nan, 2047).read((0, 8), (0, 8))
