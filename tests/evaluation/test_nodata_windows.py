"""NoData below the scripts: windows that are filled, means of measured pixels, values in files."""

import numpy as np
import pytest
import tifffile
import torch
from tiny_scenes import stirred_network, write

from data.errors import DataError
from data.files.nodata import MeasuredWindows, zero_border
from data.files.raster_windows import Windows
from models.layers import SqueezeExcite
from models.scene_pooling import ScenePooling
from utils.evaluation.scene_by_tiles import _store
from utils.tiling import Tiling, sampled


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


def test_infinity_is_no_nodata(tmp_path):
    image = np.ones((1, 8, 8), np.float32)
    image[0, 0, 0], image[0, 4, 4] = np.nan, np.inf
    np.save(tmp_path / "i.npy", image)
    with pytest.raises(DataError, match="NaN or infinity"):
        MeasuredWindows(Windows(tmp_path / "i.npy", bands=1), np.nan, 2047).read((0, 8), (0, 8))
