"""Folders as they are: hidden things, links, what systems leave behind; and what is said of them."""

import os
import shutil

import cv2
import numpy as np
import pytest
import scipy.io
from skimage.io import imsave

from data import CAVE, DataError, Harvard, PairedImages
from data.files.band_images import Cubes
from data.patches.single_images import FolderImages
from data.photograph_pairs import PhotographPairs

GRAY = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64).astype(np.uint8)


def image(path, shift=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    imsave(path, GRAY + np.uint8(shift), check_contrast=False)
    return path


def relative(images, folder):
    return [str(file.relative_to(folder)) for file in images.files]


@pytest.fixture
def littered(tmp_path):
    """Two images, and six entries that are none."""
    image(tmp_path / "b.png")
    image(tmp_path / "deep/a.png", 1)
    image(tmp_path / ".ipynb_checkpoints/b-checkpoint.png")
    image(tmp_path / "__MACOSX/b.png")
    image(tmp_path / "deep/.cache/sub/c.png")
    (tmp_path / "._b.png").write_bytes(b"\0\5\26\7 of a Mac")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "desktop.ini").write_bytes(b"x")
    return tmp_path


def test_hidden_things_are_not_trained_on(littered):
    images = FolderImages(littered)
    assert relative(images, littered) == ["b.png", "deep/a.png"]
    assert images.remarks == ["4 hidden entries skipped"], "of those that were looked for"


def test_nothing_is_said_where_nothing_was_skipped(tmp_path):
    image(tmp_path / "a/b.png")
    (tmp_path / "notes.txt").write_text("x")
    assert FolderImages(tmp_path).remarks == []


def test_links_are_followed_once(tmp_path):
    """A linked folder, a loop, a link to a folder that is there anyway, two links to one file, a file of two names."""
    train, disk = tmp_path / "train", tmp_path / "disk"
    image(train / "a.png")
    image(train / "z/b.png", 1)
    image(disk / "c.png", 2)
    image(disk / "sub/d.png", 3)
    (train / "more").symlink_to("../disk")
    (disk / "loop").symlink_to(train)
    (train / "again").symlink_to("z")
    (train / "A.png").symlink_to("a.png")
    os.link(train / "a.png", train / "hard.png")
    images = FolderImages(train)
    assert relative(images, train) == ["a.png", "more/c.png", "more/sub/d.png", "z/b.png"], "by their own paths"
    (remark,) = images.remarks
    assert remark == "1 linked folder followed, 4 further paths to what is there already skipped"


def test_a_link_that_leads_nowhere_is_named_when_it_is_read(tmp_path):
    image(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to("gone.png")
    images = FolderImages(tmp_path)
    assert len(images) == 2
    with pytest.raises(DataError, match=r"b\.png: found no such file"):
        images[1]


def test_pairs_take_linked_files_and_folders_and_leave_hidden_ones(tmp_path):
    image(tmp_path / "store/1.png")
    for kind in ("vi", "ir"):
        image(tmp_path / "set" / kind / "0.png")
        (tmp_path / "set" / kind / "1.png").symlink_to(tmp_path / "store/1.png")
    image(tmp_path / "set/vi/._0.png")
    pairs = PairedImages(tmp_path / "set")
    assert [pair["name"] for pair in pairs] == ["0", "1"], "one file may be both, or stand for several"
    assert pairs.remarks == ["1 hidden entry skipped"]


def test_scenes_and_cubes(tmp_path):
    for band in range(1, 32):
        image(tmp_path / f"cave/a_ms/a_ms/a_ms_{band:02d}.png", band)
    shutil.copytree(tmp_path / "cave/a_ms", tmp_path / "cave/.a_ms")
    (tmp_path / "cave/a_ms/a_ms/._a_ms_01.png").write_bytes(b"x")
    cave = CAVE(tmp_path / "cave", bits=8)
    assert cave.scenes == ("a",)
    assert cave.remarks == ["1 hidden entry skipped", "a_ms: 1 hidden entry skipped"]
    (tmp_path / "mat").mkdir()
    for name in ("s10", "s9", "._s9", ".hidden"):
        scipy.io.savemat(tmp_path / f"mat/{name}.mat", {"ref": np.ones((8, 8, 31))})
    assert Harvard(tmp_path / "mat", side=8).remarks == ["2 hidden entries skipped"]
    cubes = Cubes(tmp_path / "mat")
    assert [f.stem for f in cubes.files] == ["s9", "s10"], "in natural order, as ever"
    assert cubes.remarks == ["2 hidden entries skipped"]


def test_photographs(tmp_path):
    for name in ("s-A", "s-B", ".s-C"):
        image(tmp_path / f"flat/{name}.png")
    assert PhotographPairs("multifocus", tmp_path / "flat").remarks == ["1 hidden entry skipped"]
    for place in ("s/1", "s/2", ".git/1", "s/.3"):
        image(tmp_path / f"scenes/{place}.png")
    pairs = PhotographPairs("multifocus", tmp_path / "scenes")
    assert [name for name, _ in pairs.pairs] == ["s"]
    assert pairs.remarks == ["1 hidden entry skipped", "s: 1 hidden entry skipped"]


def test_the_tables_and_the_terminal_say_it(tmp_path, capsys):
    import test_dcinn_ivf_tno
    from utils.evaluation import score

    for kind in ("vi", "ir"):
        cv2.imwrite(str((tmp_path / kind).mkdir() or tmp_path / kind / "a.png"), GRAY)
    shutil.copy(tmp_path / "vi/a.png", tmp_path / "vi/._a.png")
    run = ["--data", str(tmp_path), "--output", str(tmp_path / "out"), "--weights", "untrained"]
    found = test_dcinn_ivf_tno.main(run)
    assert all("1 hidden entry skipped" in table["remarks"] for table in found["tables"])
    test_dcinn_ivf_tno.main([*run, "--no-metrics"])
    assert "1 hidden entry skipped" in capsys.readouterr().out
    scored = score.run(["--task", "ivf", "--data", str(tmp_path), "--fused", str(tmp_path / "vi")])
    remarks = scored["tables"][0]["remarks"]
    assert "1 hidden entry skipped" in remarks
    assert "fused: 1 hidden entry skipped" in remarks
