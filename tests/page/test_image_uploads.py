"""Uploads of one image in several files: put beside each other, or refused."""

import numpy as np
import pytest
import tifffile
from measured_files import envi, measured_files

from data.errors import DataError
from utils.commandline.errors import UsageError

pytest.importorskip("gradio", reason="requirements-demo.txt is not installed")

from utils.page import cubes_tab, handlers
from utils.page.image_uploads import image_upload
from utils.page.networks import Shelf
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


def test_the_other_files_of_an_image_are_beside_it(job, tmp_path):
    for names, opened in ((("a.pgw", "a.png"), "a.png"), (("c.hdr", "c.dat"), "c.hdr"), (("d.TIF", "d.hdr"), "d.hdr")):
        with image_upload(job, "HSI", uploaded(tmp_path, *names)) as path:
            assert path.name == opened
            assert sorted(file.name for file in path.parent.iterdir()) == sorted(names)
        assert not path.parent.exists()
    with image_upload(job, "HSI", uploaded(tmp_path, "b.png")) as path:
        assert path == tmp_path / "upload0/b.png"
    with image_upload(job, "HSI", None) as path:
        assert path is None


@pytest.mark.parametrize("names", [("a.png", "b.png"), ("a.hdr", "b.hdr"), ("a", "a.dat"), ("a.png", "A.PNG")])
def test_files_of_several_images_are_refused(names, job, tmp_path):
    paths = uploaded(tmp_path, *names)
    with pytest.raises(UsageError, match=r"HSI: found .*expected one image"), image_upload(job, "HSI", paths):
        pass


def test_a_header_alone_is_refused(job, tmp_path):
    envi(tmp_path / "hsi.hdr", np.ones((31, 4, 4), np.uint16))
    measured_files(tmp_path)
    values = [uploaded(tmp_path, "hsi.hdr"), [str(tmp_path / "msi.png")], None, None, 12, 0, False, "hmf", 4, 64]
    with pytest.raises(DataError, match="a header alone"):
        cubes_tab.CubeActions(Shelf("cpu")).fuse(job, *values)
