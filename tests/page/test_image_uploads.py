"""Uploads of one image in several files: put beside each other, or refused."""

import numpy as np
import pytest
import tifffile
from measured_files import envi, measured_files

from data.errors import DataError
from utils.commandline.errors import UsageError

pytest.importorskip("gradio", reason="requirements-demo.txt is not installed")

from utils.page import cubes_tab, handlers
from utils.page.image_uploads import gather
from utils.page.networks import Shelf
from utils.page.scenes import open_scene
from utils.page.visitors import Visitors

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Gradio's, of its next version


@pytest.fixture
def job(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    return handlers.Job(Visitors(root).of("one"))


def uploaded(folder, *names):
    """Files as Gradio stores them, each in a folder of its own; returns their paths."""
    paths = []
    for number, name in enumerate(names):
        path = folder / f"upload{number}" / name
        path.parent.mkdir(exist_ok=True)
        if (folder / name).is_file():
            (folder / name).rename(path)
        else:
            path.write_bytes(b"x")
        paths.append(str(path))
    return paths


def test_an_envi_cube_and_a_photograph(job, tmp_path):
    low = measured_files(tmp_path)
    envi(tmp_path / "hsi.hdr", low.astype(np.uint16))
    hsi, msi = uploaded(tmp_path, "hsi", "hsi.hdr"), [str(tmp_path / "msi.png")]
    values = [hsi, msi, None, None, 12, 0, False, cubes_tab.BY_RATIO, 4, 64]
    updates = cubes_tab.CubeActions(Shelf("cpu")).fuse(job, *values)
    found = tifffile.imread(updates[2]["value"])
    (tmp_path / "tiff").mkdir()
    measured_files(tmp_path / "tiff")
    values[:2] = [str(tmp_path / "tiff/hsi.tif")], [str(tmp_path / "tiff/msi.png")]
    other = cubes_tab.CubeActions(Shelf("cpu")).fuse(job, *values)
    assert np.array_equal(found, tifffile.imread(other[2]["value"]))
    assert not list(job.visitor.folder.glob("upload*")), "the folder with both files is removed"


def test_a_scene_of_an_envi_ms_and_a_geotiff_with_a_world_file(job, tmp_path):
    ms = np.random.default_rng(0).integers(100, 2000, (4, 24, 20)).astype(np.uint16)
    envi(tmp_path / "MS.hdr", ms, map_info="{UTM, 1, 1, 500000, 4100000, 2, 2, 33, North, WGS-84, units=Meters}")
    tifffile.imwrite(tmp_path / "pan.tif", np.kron(ms[0, 6:], np.ones((4, 4), np.uint16)))
    (tmp_path / "pan.tfw").write_text("0.5\n0\n0\n-0.5\n500000.25\n4099987.75\n")  # six rows of the MS further down
    files = uploaded(tmp_path, "MS", "MS.hdr"), uploaded(tmp_path, "pan.tif", "pan.tfw")
    scene = open_scene(job, job.visitor.fresh("scene"), *files, None, "none", 11, 1, False)
    assert scene.sides == (72, 80)
    assert any("fused their common ground" in note for note in scene.notes)


def test_the_other_files_of_an_image_are_beside_it(job, tmp_path):
    cases = ((("a.pgw", "a.png"), "a.png"), (("c.hdr", "c.dat"), "c.hdr"), (("d.TIF", "d.tfw", "d.aux"), "d.TIF"))
    for names, opened in cases:
        path = gather(job, "HSI", uploaded(tmp_path, *names), job.visitor.fresh("upload"))
        assert path.name == opened
        assert sorted(file.name for file in path.parent.iterdir()) == sorted(names)
    assert gather(job, "HSI", uploaded(tmp_path, "b.png"), tmp_path) == tmp_path / "upload0/b.png"
    assert gather(job, "HSI", None, tmp_path) is None


@pytest.mark.parametrize("names", [("a.png", "b.png"), ("a.hdr", "b.hdr"), ("a", "a.dat"), ("a.png", "A.PNG")])
def test_files_of_several_images_are_refused(names, job, tmp_path):
    paths = uploaded(tmp_path, *names)
    with pytest.raises(UsageError, match=r"HSI: found .*expected one image"):
        gather(job, "HSI", paths, job.visitor.fresh("upload"))


def test_a_header_alone_is_refused(job, tmp_path):
    envi(tmp_path / "hsi.hdr", np.ones((31, 4, 4), np.uint16))
    measured_files(tmp_path)
    values = [uploaded(tmp_path, "hsi.hdr"), [str(tmp_path / "msi.png")], None, None, 12, 0, False, "hmf", 4, 64]
    with pytest.raises(DataError, match="a header alone"):
        cubes_tab.CubeActions(Shelf("cpu")).fuse(job, *values)
