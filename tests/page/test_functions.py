"""What the page's buttons do, without a browser."""

import re
import zipfile

import cv2
import numpy as np
import pytest
import tifffile
from measured_files import measured_files

from data.errors import DataError
from data.simulate import imresize
from utils.commandline.errors import UsageError

gr = pytest.importorskip("gradio", reason="requirements-demo.txt is not installed")

from utils.page import (  # noqa: E402
    cubes,
    cubes_tab,
    handlers,
    measured_cubes,
    networks,
    pairs,
    scene_fusion,
    scenes,
)
from utils.page.networks import BY_BANDS, Shelf, choices  # noqa: E402
from utils.page.visitors import LeftError, Visitors  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Gradio's, of its next version


@pytest.fixture(scope="module")
def shelf():
    return Shelf("cpu")


@pytest.fixture
def job(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    return handlers.Job(Visitors(root).of("one"))


def smooth(*shape):
    image = cv2.GaussianBlur(np.random.default_rng(1).random(shape), (0, 0), 2)
    return (image - image.min()) / np.ptp(image)


def two_files(folder, dtype, suffix, sides=(48, 56)):
    top = 1 if dtype == np.float32 else np.iinfo(dtype).max
    for name in ("street", "thermal"):
        pixels = (smooth(*sides) * top).astype(dtype)
        if suffix == ".tif":
            tifffile.imwrite(folder / f"{name}.tif", pixels)
        else:
            cv2.imwrite(str(folder / f"{name}{suffix}"), pixels)
    return [str(folder / f"{name}{suffix}") for name in ("street", "thermal")]


@pytest.mark.parametrize(
    ("dtype", "suffix", "asked", "written"),
    [
        (np.uint8, ".png", "", ".png"),
        (np.uint16, ".png", "", ".png"),
        (np.uint16, ".tif", "", ".tif"),
        (np.uint16, ".tif", ".png", ".png"),
        (np.uint8, ".png", ".tif", ".tif"),
        (np.float32, ".tif", "", ".tif"),
    ],
)
def test_the_download_is_as_deep_as_the_sources(dtype, suffix, asked, written, shelf, job, tmp_path):
    pair, source = pairs.read_pair(job, "coffee", *two_files(tmp_path, dtype, suffix), 0, False)
    assert source == f"street{suffix}"
    found = pairs.fuse_pair(job, shelf, pair, source, "untrained", [], suffix=asked)
    assert found["download"].endswith(f"street_fused{written}")
    read = tifffile.imread if written == ".tif" else lambda p: cv2.imread(p, cv2.IMREAD_UNCHANGED)
    image = read(found["download"])
    assert image.dtype == dtype
    assert image.shape == (48, 56)
    assert f"{source} (1 image)" in found["table"]
    assert "max of the two" in found["table"]


def test_floats_are_not_written_as_png(shelf, job, tmp_path):
    pair, source = pairs.read_pair(job, "", *two_files(tmp_path, np.float32, ".tif"), 0, False)
    with pytest.raises(UsageError, match="found float32 sources, expected TIFF"):
        pairs.fuse_pair(job, shelf, pair, source, "untrained", [], suffix=".png")


def test_methods_side_by_side_and_the_parts_of_the_first(shelf, job, tmp_path):
    pair, _ = pairs.read_pair(job, "", *two_files(tmp_path, np.uint8, ".png"), 0, False)
    weights = choices("ivf")[0]
    found = pairs.fuse_pair(job, shelf, pair, "street.png", weights, ["untrained", weights, "peers/auif"])
    names = list(found["pictures"])
    assert names[0] == f"DCINN ({weights})"
    assert names[-2:] == ["visible", "infrared"]
    assert len(names) == 5
    assert all(f"| {name} |" in found["table"] for name in names[:3])
    parts = pairs.look_inside(job, shelf.get("ivf", weights), pair, found["folder"])
    assert [re.split(r"[ :,]", words)[0] for _, words in parts] == ["base", "detail", "residual", *["conditions"] * 3]
    with pytest.raises(DataError, match="expected a DCINN"):
        pairs.look_inside(job, shelf.get("ivf", "peers/auif"), pair, found["folder"])


def test_weights_are_names_and_no_paths(shelf, tmp_path):
    for name in (str(tmp_path), "../ps", "ps", "peers/../ivf_rs"):
        with pytest.raises(UsageError, match="weights: found"):
            shelf.get("ivf", name)


def test_one_of_two_files(job, tmp_path):
    visible, _ = two_files(tmp_path, np.uint8, ".png")
    with pytest.raises(UsageError, match="found one of the two images"):
        pairs.read_pair(job, "coffee", visible, None, 0, False)


def test_an_infrared_image_of_half_the_sides(shelf, job, tmp_path):
    visible, infrared = two_files(tmp_path, np.uint8, ".png")
    cv2.imwrite(infrared, (smooth(24, 28) * 255).astype(np.uint8))
    with pytest.raises(DataError, match="--resize-infrared if both show the same field of view"):
        pairs.read_pair(job, "", visible, infrared, 0, False)
    pair, source = pairs.read_pair(job, "", visible, infrared, 0, False, resize=True)
    found = pairs.fuse_pair(job, shelf, pair, source, "untrained", [])
    assert cv2.imread(found["download"], cv2.IMREAD_UNCHANGED).shape == (48, 56)
    assert "resized from 24x28 to 48x56" in found["table"]


def test_a_network_stops_when_its_visitor_leaves(shelf, job):
    network = shelf.get("ivf", "untrained")
    pair, _ = pairs.read_pair(job, "coffee", None, None, 0, False)
    layers = []
    first = next(network.model.anet.children())
    hook = first.register_forward_hook(lambda *_: (layers.append(1), job.visitor.gone.set()))
    later = network.model.flow.register_forward_hook(lambda *_: layers.append(2))
    try:
        with pytest.raises(LeftError):
            pairs.fuse_pair(job, shelf, pair, None, "untrained", [])
    finally:
        hook.remove()
        later.remove()
    assert layers == [1]
    assert not any(module._forward_pre_hooks for module in network.model.modules())


def test_a_crop_of_two_geotiffs_is_that_of_the_whole_scene(shelf, job, tmp_path):
    bands = np.stack([smooth(40, 48) for _ in range(8)])
    tifffile.imwrite(tmp_path / "ms.tif", (bands * 2000).astype(np.uint16), photometric="minisblack")
    tifffile.imwrite(tmp_path / "pan.tif", (smooth(160, 192) * 2000).astype(np.uint16), compression="zlib")
    given = [str(tmp_path / "ms.tif")], [str(tmp_path / "pan.tif")]
    scene = scenes.open_scene(job, job.visitor.fresh("scene"), *given, None, "auto", 0, 1, False)
    assert (scene.sides, scene.bands, scene.ratio) == ((160, 192), 8, 4)
    whole = scene.crop((0, 160, 0, 192))
    box = scene.box((47, 39), 64)  # the last pixel of the quick-look
    assert box == (96, 160, 128, 192)
    np.testing.assert_array_equal(scene.crop(box)["lms"], whole["lms"][:, 96:, 128:])
    assert scene.on_quick_look(box) == (24, 40, 32, 48)
    assert scene.box((24, 20), 64) == (48, 112, 64, 128)
    found = scene_fusion.fuse_crop(job, shelf, scene, box, "ps", "tif")
    image = tifffile.imread(found["download"])
    assert image.shape == (64, 64, 8), "pixel by pixel, as the script writes it"
    assert image.dtype == np.uint16
    assert "Of a crop: rows 96 to 160" in found["table"]
    assert "no reference: SAM to EXP" in found["angles"].axes[0].get_title()
    assert {name: a.shape for name, a in found["arrays"].items()}["DCINN (ps)"] == (8, 64, 64)


def test_pixels_without_measurement_are_spoken_of(shelf, job, tmp_path):
    bands, tag = np.full((8, 20, 20), 500, np.uint16), [(42113, "s", 0, "0", True)]
    bands[:, :10] = 0
    tifffile.imwrite(tmp_path / "ms.tif", bands, photometric="minisblack", extratags=tag)
    tifffile.imwrite(tmp_path / "pan.tif", np.full((80, 80), 500, np.uint16), extratags=tag)
    given = [str(tmp_path / "ms.tif")], [str(tmp_path / "pan.tif")]
    scene = scenes.open_scene(job, job.visitor.fresh("scene"), *given, None, "auto", 0, 1, False)
    assert scenes.MASKED in scene.notes
    found = scene_fusion.fuse_crop(job, shelf, scene, scene.box((0, 0), 64), "ps", "tif")
    assert scenes.MASKED in found["table"]
    with tifffile.TiffFile(found["download"]) as file:
        image, tags = file.asarray(), file.pages[0].tags
    assert (image[:40] == 0).all(), "half of the scene is masked"
    assert (image[40:] > 0).all()
    assert tags[42113].value == "0"
    assert tags[322].value == 256, "tiles"
    plain = scene_fusion.fuse_crop(job, shelf, scene, scene.box((0, 0), 64), "ps", "npy")
    assert (np.load(plain["download"])[:40] > 0).any()


def test_a_reduced_sample_has_a_reference(shelf, job):
    scene = scenes.open_scene(job, job.visitor.fresh("scene"), None, None, None, "auto", 0, 1, True)
    found = scene_fusion.fuse_crop(job, shelf, scene, scene.box(None, 64), "ps", "mat")
    assert list(found["pictures"]) == ["DCINN (ps)", "EXP (lms)", "reference", "pan"]
    assert "SAM to the reference" in found["angles"].axes[0].get_title()


def test_scenes_that_do_not_fit(shelf, job, tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "ms.tif", np.ones((4, 16, 16), np.uint16), photometric="minisblack")
    tifffile.imwrite(tmp_path / "pan.tif", np.ones((64, 64), np.uint16))
    ms, pan, folder = [str(tmp_path / "ms.tif")], [str(tmp_path / "pan.tif")], job.visitor.fresh("scene")
    with pytest.raises(UsageError, match="found one of them"):
        scenes.open_scene(job, folder, ms, None, None, "auto", 0, 1, False)
    with pytest.raises(DataError, match="are MS and pan swapped"):
        scenes.open_scene(job, folder, pan, ms, None, "auto", 0, 1, False)
    scene = scenes.open_scene(job, folder, ms, pan, None, "auto", 0, 1, False)
    with pytest.raises(UsageError, match="found 4 bands, expected 8 of the weights"):
        scene_fusion.fuse_crop(job, shelf, scene, scene.box(None, 64), "ps", "tif")
    assert scene_fusion.fuse_crop(job, shelf, scene, scene.box(None, 64), "untrained", "tif")
    found = scene_fusion.fuse_crop(job, shelf, scene, scene.box(None, 64), BY_BANDS, "tif")
    assert "DCINN (ps4)" in found["table"]
    monkeypatch.setattr("utils.page.limits.MOST_SAMPLES", 1000)
    with pytest.raises(DataError, match="the page's limit"):
        scenes.open_scene(job, folder, ms, pan, None, "auto", 0, 1, False)


def test_a_zipped_scene_against_its_truth(shelf, job, tmp_path):
    with zipfile.ZipFile(tmp_path / "cave.zip", "w") as file:
        for band in range(1, 32):
            image = (smooth(72, 80) * (30000 + 500 * band)).astype(np.uint16)
            file.writestr(f"cave/toys_ms/toys_ms/toys_ms_{band:02d}.png", cv2.imencode(".png", image)[1].tobytes())
    path = str(tmp_path / "cave.zip")
    assert cubes.open_cubes(job, path) == ["toys"]
    item, source = cubes.read_cube(job, path, "toys", 0)
    found = cubes.fuse_cube(job, shelf, item, source, "hmf", 64, 4, 0)
    assert "Of the middle 64x64 pixels of 72x80." in found["table"]
    assert found["arrays"]["truth"].shape == (31, 64, 64)
    np.testing.assert_array_equal(found["arrays"]["truth"], item["gt"][:, 4:68, 8:72])
    with pytest.raises(UsageError, match="scene: found 'other', expected one of toys"):
        cubes.read_cube(job, path, "other", 0)


def test_a_measured_cube_with_a_photograph(shelf, job, tmp_path):
    low = measured_files(tmp_path)
    files = tmp_path / "hsi.tif", tmp_path / "msi.png"
    found = measured_cubes.fuse_measured_middle(job, shelf, files, measured_cubes.BY_RATIO, 64, (12, 0))
    fused, up = found["arrays"].values()
    assert next(iter(found["arrays"])) == "DCINN (hmf)"
    whole = np.moveaxis(imresize(np.moveaxis(low / 4095, 0, -1), 4, "bilinear"), -1, 0)
    assert np.abs(up - whole[:, 16:80, 8:72]).max() < 1e-3
    assert list(found["pictures"]) == ["DCINN (hmf)", cubes.UPSAMPLED, "MSI"]
    assert "96x80 pixels, ratio 4: fused rows 16 to 80, columns 8 to 72" in found["table"]
    assert "taken in the response's order" in found["table"]
    stored = tifffile.imread(found["download"])
    assert stored.dtype == np.uint16
    assert np.abs(np.moveaxis(stored, -1, 0) - (fused * 4095).clip(0, 4095)).max() <= 0.51
    with pytest.raises(DataError, match="are the two swapped"):
        measured_cubes.fuse_measured_middle(job, shelf, files[::-1], "hmf", 64, (0, 0))


def test_a_measured_cube_alone_is_not_fused(shelf, job, tmp_path):
    measured_files(tmp_path)
    actions, path = cubes_tab.CubeActions(shelf), str(tmp_path / "hsi.tif")
    for files in (([path], None, None), (None, [path], None), ([path], [path], path)):
        with pytest.raises(UsageError, match="HSI, MSI: found one of them"):
            actions.fuse(job, *files, "coffee", 0, 0, False, "hmf", 4, 64)


def test_without_weights_the_page_takes_untrained_ones(monkeypatch, tmp_path):
    assert networks.at_hand("hmf", "hmf") == "hmf"
    monkeypatch.setattr(networks, "PRETRAINED", tmp_path)
    assert networks.at_hand("hmf", "hmf") == "untrained"
