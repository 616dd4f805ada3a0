"""Every layout and file type of the field, read to the same numbers."""

import cv2
import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
from PIL import Image
from skimage.io import imsave

from data import CAVE, DataError, PairedImages, PanCollection
from data.files.image_file import read_raster
from data.samples import sample_hyperspectral, sample_pairs, sample_pan_scene
from data.simulate import spectral_response

N, BANDS, SIDE, RATIO = 2, 5, 16, 4


@pytest.fixture
def stack():
    rng = np.random.default_rng(0)
    small = SIDE // RATIO
    return {
        "gt": rng.integers(0, 2048, (N, BANDS, SIDE, SIDE + 4)).astype(np.float64),
        "lms": rng.integers(-50, 2200, (N, BANDS, SIDE, SIDE + 4)).astype(np.float64),
        "ms": rng.integers(0, 2048, (N, BANDS, small, small + 1)).astype(np.float64),
        "pan": rng.integers(0, 2048, (N, 1, SIDE, SIDE + 4)).astype(np.float64),
    }


def channels_last(stack, flat_pan=True):
    last = {k: np.moveaxis(v, 1, -1) for k, v in stack.items()}
    return last | {"pan": last["pan"][..., 0]} if flat_pan else last


def write_matlab73(path, arrays):
    """As MATLAB does: axes reversed, a header in the user block, the class as an attribute."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in arrays.items():
            file.create_dataset(name, data=value.T).attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64")


def write_h5(path, arrays):
    with h5py.File(path, "w") as file:
        for name, value in arrays.items():
            file[name] = value


WRITERS = {"h5": write_h5, "v5.mat": scipy.io.savemat, "v73.mat": write_matlab73}


@pytest.mark.parametrize("layout", ["first", "last", "last, pan with an axis of one"])
@pytest.mark.parametrize("writer", WRITERS)
def test_pancollection_layouts(writer, layout, stack, tmp_path):
    path = tmp_path / f"wv3_test.{writer}"
    WRITERS[writer](path, stack if layout == "first" else channels_last(stack, flat_pan="axis" not in layout))
    data = PanCollection(path)
    assert (len(data), data.bands, data.ratio, data.scale, data.sensor) == (N, BANDS, RATIO, 2047, "WV3")
    assert data.has_reference
    for i, item in enumerate(data):
        for key, value in stack.items():
            assert item[key].dtype == np.float32
            assert np.allclose(item[key], value[i] / 2047, atol=1e-7), key


@pytest.mark.parametrize("writer", WRITERS)
def test_a_single_scene_without_lms(writer, stack, tmp_path):
    scene = {"I_MS": np.moveaxis(stack["ms"][0], 0, -1), "I_PAN": stack["pan"][0, 0]}
    path = tmp_path / f"scene_gf2.{writer}"
    WRITERS[writer](path, {k: v / 2 for k, v in scene.items()})
    data = PanCollection(path)
    assert (data.sensor, data.scale, data.has_reference) == ("GF2", 1023, False)
    item = data[0]
    assert item["gt"] is None
    assert item["lms"].shape == (BANDS, SIDE, SIDE + 4)
    assert np.allclose(item["lms"][:, 2::4, 2::4], item["ms"], atol=0.05), "23 taps keep the samples, about"


@pytest.mark.parametrize(
    ("ms", "pan"), [((32, 16, 8), (128, 64)), ((64, 16, 4), (256, 64)), ((8, 8, 8), (32, 32)), ((8, 8, 32), (32, 32))]
)
def test_shapes_that_would_fit_both_layouts(ms, pan, tmp_path):
    """Height, width, bands at ratio 4, as MATLAB scenes are; bands first would give another ratio or a transpose."""
    scene = np.random.default_rng(0).integers(0, 2047, ms)
    scipy.io.savemat(tmp_path / "s.mat", {"I_MS": scene, "I_PAN": np.full(pan, 7.0)})
    data = PanCollection(tmp_path / "s.mat")
    assert (data.bands, data.ratio) == (ms[2], 4)
    assert np.allclose(data[0]["ms"], np.moveaxis(scene, -1, 0) / 2047)


def test_one_layout_for_the_whole_file(tmp_path):
    """ms alone, (2, 8, 8, 8), fits both; gt and lms say which."""
    rng = np.random.default_rng(0)
    arrays = {k: rng.integers(0, 2047, (2, s, s, 8)) for k, s in (("gt", 32), ("lms", 32), ("ms", 8))}
    write_h5(tmp_path / "a.h5", {**arrays, "pan": np.full((2, 32, 32), 7.0)})
    assert np.allclose(PanCollection(tmp_path / "a.h5")[1]["ms"], np.moveaxis(arrays["ms"][1], -1, 0) / 2047)


def test_toolbox_names_with_the_upsampled_ms(stack, tmp_path):
    arrays = {"I_MS": stack["lms"][0], "I_MS_LR": stack["ms"][0], "I_PAN": stack["pan"][0, 0], "I_GT": stack["gt"][0]}
    scipy.io.savemat(tmp_path / "t.mat", arrays | {"L": 12, "sensor": "QB"})
    data = PanCollection(tmp_path / "t.mat")
    assert (data.keys["lms"], data.keys["ms"], data.bits, data.sensor) == ("I_MS", "I_MS_LR", 12, "QB")
    assert np.allclose(data[0]["lms"], stack["lms"][0] / 4095, atol=1e-7)
    given = PanCollection(tmp_path / "t.mat", sensor="GF2", bits=11)
    assert (given.sensor, given.bits) == ("GF2", 11), "what is given goes before what the file says"
    with pytest.raises(DataError, match="found 5 bands, expected 4 of sensor IKONOS"):
        PanCollection(tmp_path / "t.mat", sensor="IKONOS")


def test_h5_rows_are_read_lazily_and_in_other_processes(stack, tmp_path):
    import pickle

    write_h5(tmp_path / "a.h5", stack)
    data = pickle.loads(pickle.dumps(PanCollection(tmp_path / "a.h5")))
    assert np.allclose(data[1]["gt"], stack["gt"][1] / 2047, atol=1e-7)
    with pytest.raises(IndexError):
        data[N]


def test_nan_in_one_row_is_named(stack, tmp_path):
    stack["gt"][1, 0, 3, 3] = np.nan
    write_h5(tmp_path / "a.h5", stack)
    data = PanCollection(tmp_path / "a.h5")
    data[0]
    with pytest.raises(DataError, match=r"a\.h5: gt\[1\]: found NaN"):
        data[1]


def test_cave_layouts(tmp_path):
    rng = np.random.default_rng(0)
    cube = rng.integers(0, 65536, (31, 6, 8)).astype(np.uint16)
    for folder in ("original/a_ms/a_ms", "flat/a_ms"):
        (tmp_path / folder).mkdir(parents=True)
        for i, band in enumerate(cube, 1):
            image = band if i != 3 else np.stack([band] * 3, axis=-1)  # a band stored as equal channels
            cv2.imwrite(str(tmp_path / folder / f"a_ms_{i:02d}.png"), image)
        (tmp_path / folder / "a_RGB.bmp").write_bytes(b"not a band")
        scenes = CAVE(tmp_path / folder.split("/")[0])
        assert scenes.scenes == ("a",)
        assert np.allclose(scenes[0]["gt"], cube / 65535, atol=1e-7)


@pytest.mark.parametrize(("visible", "infrared"), [("vi", "ir"), ("crop_LR_visible", "cropinfrared"), ("MRI", "CT")])
def test_pairs_by_folder_names(visible, infrared, tmp_path):
    gray = np.arange(48, dtype=np.uint8).reshape(6, 8)
    for folder, image in ((visible, gray), (infrared, gray + 100)):
        (tmp_path / folder).mkdir()
        imsave(tmp_path / folder / "b.png", image, check_contrast=False)
        imsave(tmp_path / folder / "a.png", image, check_contrast=False)
        (tmp_path / folder / "Thumbs.db").write_bytes(b"x")
    pairs = PairedImages(tmp_path)
    assert [p["name"] for p in pairs] == ["a", "b"]
    assert np.allclose(pairs[0]["visible"][0] * 255, gray)
    assert np.allclose(pairs[0]["infrared"][0] * 255, gray + 100)


@pytest.mark.parametrize(
    ("name", "image", "expected"),
    [
        ("rgb.png", np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8), [76, 150, 29]),
        ("rgba.png", np.array([[[10, 20, 30, 0], [10, 20, 30, 255]]], np.uint8), [18, 18]),
        ("rgb16.png", np.array([[[65535, 0, 0], [0, 65535, 0]]], np.uint16), [19595 / 257, 38469 / 257]),
        ("gray16.tif", np.array([[0, 257, 65535]], np.uint16), [0, 1, 255]),
        ("float.tif", np.array([[0, 0.5, 1]], np.float32), [0, 127.5, 255]),
    ],
)
def test_what_has_one_meaning_is_converted_and_said(name, image, expected, tmp_path):
    path = tmp_path / name
    if name.endswith("tif"):
        tifffile.imwrite(path, image)
    else:
        order = {2: slice(None), 3: [2, 1, 0], 4: [2, 1, 0, 3]}[image.shape[-1] if image.ndim == 3 else 2]
        cv2.imwrite(str(path), image[..., order])
    pair = PairedImages(visible=path, infrared=path)[0]
    assert np.allclose(pair["visible"].ravel() * 255, expected, atol=1e-3)
    assert pair["notes"] or name == "float.tif"


def test_tiff_kinds(tmp_path):
    ramp = np.arange(64, dtype=np.uint8).reshape(8, 8)
    tifffile.imwrite(tmp_path / "white.tif", 255 - ramp, photometric="miniswhite")
    table = np.stack([np.arange(256)[::-1] * 257] * 3).astype(np.uint16)
    tifffile.imwrite(tmp_path / "palette.tif", 255 - ramp, photometric="palette", colormap=table)
    planes = np.stack([ramp, ramp + 50, ramp + 100])
    tifffile.imwrite(tmp_path / "planes.tif", planes, photometric="rgb", planarconfig="separate")
    Image.fromarray(ramp).save(tmp_path / "lzw.tif", compression="tiff_lzw")
    assert np.array_equal(read_raster(tmp_path / "white.tif"), ramp)
    assert np.array_equal(read_raster(tmp_path / "palette.tif"), np.stack([ramp] * 3, axis=-1))
    assert np.array_equal(read_raster(tmp_path / "planes.tif"), np.moveaxis(planes, 0, -1))
    assert np.array_equal(read_raster(tmp_path / "lzw.tif"), ramp)


def test_a_truncated_jpeg_is_not_filled_with_gray(tmp_path):
    photograph = (sample_pairs()[0]["visible"][0] * 255).astype(np.uint8)
    imsave(tmp_path / "a.jpg", photograph)
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "b.jpg").write_bytes(data[: len(data) // 2])
    assert read_raster(tmp_path / "a.jpg").shape == photograph.shape
    with pytest.raises(DataError, match=r"b\.jpg: found no readable image"):
        read_raster(tmp_path / "b.jpg")


def test_the_samples_are_the_same_every_time_and_sensible():
    first, second = sample_pairs(), sample_pairs()
    assert all(np.array_equal(a["infrared"], b["infrared"]) for a, b in zip(first, second, strict=True))
    for pair in first:
        assert 0.4 < np.ptp(pair["visible"]) <= 1
        assert abs(np.corrcoef(pair["visible"].ravel(), pair["infrared"].ravel())[0, 1]) < 0.9, "each shows its own"
    scene = sample_pan_scene()
    assert scene["pan"].shape == (1, 512, 512)
    whole = scene["ms"] * 2047
    assert np.abs(whole - np.rint(whole)).max() < 1e-3, "digital numbers"
    for cube in sample_hyperspectral():
        flat = cube["gt"].reshape(31, -1).T.astype(np.float64)
        colours = flat @ spectral_response()
        fit = colours @ np.linalg.lstsq(colours, flat, rcond=None)[0]
        assert np.abs(fit - flat).mean() > 0.003, "the spectrum is not a linear function of the colours"
        assert cube["gt"].min() >= 0
        assert cube["gt"].max() <= 1
