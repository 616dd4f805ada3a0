"""Windows of rasters on disk: every layout of TIFF and .npy, and files that are none."""

import numpy as np
import pytest
import tifffile

from data.errors import DataError
from data.files.geotiff import geo_tags
from data.files.image_file import read_raster
from data.files.raster_windows import Windows


@pytest.mark.parametrize(
    "options",
    [
        {"planarconfig": "contig"},
        {"planarconfig": "contig", "compression": "deflate", "tile": (16, 32)},
        {"planarconfig": "separate", "compression": "deflate", "rowsperstrip": 7},
        {"planarconfig": "separate", "tile": (32, 16)},
        {"planarconfig": "contig", "compression": "deflate", "byteorder": ">", "bigtiff": True},
        {"planarconfig": "contig", "compression": "lzw", "predictor": 2, "tile": (16, 32)},
        {"planarconfig": "separate", "compression": "zstd", "rowsperstrip": 7},
        {"planarconfig": "separate", "compression": "lerc", "tile": (32, 16)},
        {"planarconfig": "contig", "compression": "lzma"},
    ],
)
def test_windows_of_every_tiff_layout(options, tmp_path):
    image = np.random.default_rng(0).integers(0, 2000, (5, 50, 71)).astype(np.uint16)
    stored = image if options["planarconfig"] == "separate" else np.moveaxis(image, 0, -1)
    tifffile.imwrite(tmp_path / "i.tif", stored, photometric="minisblack", **options)
    windows = Windows(tmp_path / "i.tif", tmp_path)
    assert windows.shape == (5, 50, 71)
    assert (windows.read((3, 44), (10, 71)) == image[:, 3:44, 10:71]).all()
    assert [p.name for p in tmp_path.iterdir()] == ["i.tif"], "the scratch file is gone"


def test_windows_of_npy_and_gray(tmp_path):
    image = np.random.default_rng(0).random((3, 40, 50))
    np.save(tmp_path / "a.npy", image)
    np.save(tmp_path / "b.npy", np.moveaxis(image, 0, -1))
    np.save(tmp_path / "c.npy", image[0])
    for name, count in (("a", 3), ("b", 3), ("c", 1)):
        windows = Windows(tmp_path / f"{name}.npy")
        assert windows.shape == (count, 40, 50)
        assert np.allclose(windows.read((1, 9), (2, 50)), image[:count, 1:9, 2:50])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tif", b"II*\0", "no readable image"),
        ("a.npy", b"\x93NUMPY", "no readable .npy file"),
        ("a.jpg", b"", "expected .tif, .tiff, .npy or ENVI"),
        ("none.tif", None, "no such file"),
    ],
)
def test_files_that_are_no_scene(name, content, message, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        Windows(tmp_path / name)


def test_an_array_s_bands_are_told_from_its_rows(tmp_path):
    np.save(tmp_path / "ms.npy", np.zeros((6, 80, 8), np.uint16))
    assert Windows(tmp_path / "ms.npy", bands=8).shape == (8, 6, 80)
    with pytest.raises(DataError, match="first or the last axis"):
        Windows(tmp_path / "ms.npy")


@pytest.mark.parametrize("compression", ["lzw", "zstd", "lerc", "deflate", "packbits"])
@pytest.mark.parametrize("channels", [1, 3])
def test_one_image_of_every_compression(compression, channels, tmp_path):
    image = np.random.default_rng(0).integers(0, 2**16, (50, 71, channels)).astype(np.uint16).squeeze()
    photometric = "minisblack" if channels == 1 else "rgb"
    tifffile.imwrite(tmp_path / "i.tif", image, photometric=photometric, compression=compression)
    assert (read_raster(tmp_path / "i.tif") == image).all()


def test_a_jpeg_in_a_tiff_is_near_what_was_written(tmp_path):
    y, x = np.mgrid[:64, :96]
    image = np.stack((2 * x, 3 * y, 250 - x - y), -1).astype(np.uint8)
    tifffile.imwrite(tmp_path / "i.tif", image, photometric="rgb", compression="jpeg", compressionargs={"level": 95})
    assert np.abs(read_raster(tmp_path / "i.tif").astype(int) - image).max() < 12


def test_every_tag_of_a_georeference_is_kept(tmp_path):
    values = {33550: (2.0, 2.0, 0.0), 33922: (0.0,) * 6, 34264: (1.0,) * 16, 34735: (1, 1, 0, 0), 34736: (6378137.0,)}
    types = {33550: 12, 33922: 12, 34264: 12, 34735: 3, 34736: 12}
    tags = [(code, types[code], len(value), value, True) for code, value in values.items()]
    tags.append((34737, 2, 0, "WGS 84|", True))
    tifffile.imwrite(tmp_path / "i.tif", np.zeros((8, 9), np.uint16), extratags=tags)
    assert {tag[0] for tag in geo_tags(tmp_path / "i.tif")} == {*values, 34737}
