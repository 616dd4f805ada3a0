"""No test image was trained on or used to choose: by the content of the files, whatever they are called."""

import hashlib
import json
import re
from dataclasses import replace

import h5py
import numpy as np
import pytest
import scipy.io
from tables import WV2_TEST_ROWS

import train_dcinn_ivf_tno
import train_dcinn_ps
from data import PairedImages, PanCollection
from data.errors import DataError
from data.files.image_file import read_raster, to_gray
from data.hyperspectral import CAVE_TEST
from data.patches.pansharpening import PanScenePatches
from data.patches.training_images import training_scenes
from data.simulate import interp23
from data.splits import split
from models.weights.files import PRETRAINED
from utils import prepare
from utils.training.arguments import TrainingArguments
from utils.training.infrared_visible import infrared_visible
from utils.training.pansharpening import pansharpening

TEST_SETS = ("cddfuse_test/TNO", "cddfuse_test/RoadScene", "tno8", "medical/MRI_CT")


def digests(files):
    """Of the bytes of every file and of its gray pixels, so that a copy in another format is known, too."""
    pixels = [np.ascontiguousarray(to_gray(read_raster(file))[0]) for file in files]
    contents = [file.read_bytes() for file in files] + [str(p.shape).encode() + p.tobytes() for p in pixels]
    return {hashlib.sha256(content).hexdigest() for content in contents}


def trained_on(folder, hold_back):
    args = TrainingArguments(data=folder, hold_back=hold_back)
    task = infrared_visible(args, train_dcinn_ivf_tno.RECIPES["released"])
    return list(task.source.source.pairs.pairs), len(task.source)


def test_roadscene_pairs_trained_on_are_in_no_test_set(shared):
    pairs, kept = trained_on(shared("datasets/roadscene"), 21)
    assert (len(pairs), kept) == (171, 150)
    names = [visible.stem for visible, _ in pairs]
    assert len(set(names)) == 171
    assert tuple(sorted(names[kept:])) == tuple(sorted(split("roadscene_held_21")))
    seen = digests([file for pair in pairs for file in pair])  # trained on, and held back to choose by
    assert len(seen) > 600
    for name in TEST_SETS:
        tested = digests([file for pair in PairedImages(shared(f"datasets/{name}")).pairs for file in pair])
        assert len(tested) > 20
        assert not seen & tested, name


def test_the_digests_find_the_test_pairs_where_they_are_kept(shared):
    """The 50 pairs are in RoadScene's folder: a digest that missed them there would prove nothing."""
    every = digests([file for pair in PairedImages(shared("datasets/roadscene")).pairs for file in pair])
    tested = digests([file for pair in PairedImages(shared("datasets/cddfuse_test/RoadScene")).pairs for file in pair])
    assert tested <= every


def test_cave_scenes_trained_on_are_no_test_scenes(shared):
    folder = shared("datasets/cave")
    scenes, _ = training_scenes(folder, None, 12)
    names = set(scenes.scenes)
    assert len(names) == 21
    assert not names & set(CAVE_TEST)
    bands = {name: [f.read_bytes() for f in sorted((folder / name).iterdir())[::10]] for name in (*names, *CAVE_TEST)}
    seen = {hashlib.sha256(b).digest() for name in names for b in bands[name]}
    assert not seen & {hashlib.sha256(b).digest() for name in CAVE_TEST for b in bands[name]}


def test_areas_of_a_pansharpening_scene_do_not_meet(shared):
    path = shared("datasets/pansharpening/wv2.mat")
    first, end = map(int, WV2_TEST_ROWS.split(":"))
    whole, train, test = (PanCollection(path, rows=rows) for rows in (None, (0, first), (first, end)))
    for key, axis in (("ms", 1), ("pan", 1)):
        joined = np.concatenate([train[0][key], test[0][key]], axis=axis)
        assert np.array_equal(joined, whole[0][key])
    assert train.sides == (4 * first, 1280)
    about = {"sensor": "WV2", "patch": 64, "stride": 32}
    assert PanScenePatches(train[0]["ms"], train[0]["pan"][0], **about).pan.shape == (1, first, 320)


def test_the_kept_ps_weights_were_trained_on_other_rows():
    file = PRETRAINED / "ps.json"
    if not file.is_file():
        pytest.skip("ps is not trained yet")
    first, _, end = re.search(r"--rows (\d+)(:)(\d+)", json.loads(file.read_text())["run"]["command"]).groups()
    assert int(first) < int(end) <= int(WV2_TEST_ROWS.split(":")[0])


@pytest.mark.parametrize("rows", [(0, 21), (20, 24), (5, 5), (4, 7)])
def test_rows_outside_the_scene_are_refused(stacked, rows):
    with pytest.raises(ValueError, match="rows"):
        PanCollection(stacked[0], rows=rows)


def test_rows_of_a_stack(stacked):
    path, gt, _ = stacked
    item = PanCollection(path, rows=(3, 11))[1]
    assert np.allclose(item["gt"] * 2047, gt[1, :, 12:44], atol=1e-3)
    assert [item[k].shape[1:] for k in ("lms", "ms", "pan")] == [(32, 96), (8, 24), (32, 96)]
    whole = PanCollection(path)[1]
    assert np.array_equal(item["pan"], whole["pan"][:, 12:44])
    assert np.array_equal(item["ms"], whole["ms"][:, 3:11])
    own = np.moveaxis(interp23(np.moveaxis(item["ms"], 0, -1), 4), -1, 0)
    assert np.allclose(item["lms"], own, atol=1e-6), "the file's lms was interpolated over the border of the part"


def test_rows_of_a_file_without_ms_are_refused(tmp_path):
    with h5py.File(tmp_path / "qb.h5", "w") as file:
        file["lms"], file["pan"] = np.full((1, 4, 64, 64), 300), np.full((1, 1, 64, 64), 300)
    with pytest.raises(DataError, match="lms without ms"):
        PanCollection(tmp_path / "qb.h5", rows=(0, 8))


@pytest.fixture
def scene(tmp_path):
    """A .mat scene whose lower half is brighter."""
    rng = np.random.default_rng(0)
    ms, pan = rng.integers(100, 900, (48, 40, 8)), rng.integers(100, 900, (192, 160))
    ms[24:] += 1000
    pan[96:] += 1000
    scipy.io.savemat(tmp_path / "wv3.mat", {"I_MS": ms.astype(np.uint16), "I_PAN": pan.astype(np.uint16)})
    return tmp_path / "wv3.mat"


def test_a_training_sees_its_rows_only(scene, tmp_path, capsys):
    options = ["--data", str(scene), "--patch", "16", "--stride", "8", "--batch", "4", "--epochs", "1"]
    run = [*options, "--rows", "0:24", "--output", str(tmp_path / "run")]
    args = TrainingArguments(data=scene, rows=(0, 24), stride=8)
    task = pansharpening(args, replace(train_dcinn_ps.RECIPES["released"], patch=16))
    assert len(task.source) == 2 * 4, "24x40 reduced pixels, patches of 16 every 8"
    most = max(task.source.sample(i, None)[k].max() for i in range(8) for k in ("gt", "guide"))
    assert most < 950 / 2047
    train_dcinn_ps.main(run)
    with pytest.raises(SystemExit):
        train_dcinn_ps.main([*options, "--rows", "24:48", "--output", str(tmp_path / "run"), "--resume"])
    assert "rows (0, 24)" in capsys.readouterr().err


def test_prepared_patches_are_of_the_rows(scene, tmp_path):
    words = ["ps", "--data", str(scene), "--rows", "24:48", "--patch", "16", "--stride", "8"]
    assert prepare.run([*words, "--output", str(tmp_path / "o.h5")]) == 8
    with h5py.File(tmp_path / "o.h5") as file:
        assert file["gt"][...].min() > 1000


def test_a_stride_where_there_is_no_grid_is_refused(stacked, capsys):
    for options in (["--data", str(stacked[0])], []):
        with pytest.raises(SystemExit) as stop:
            train_dcinn_ps.main([*options, "--stride", "8"])
        assert stop.value.code == 2
        assert "--stride" in capsys.readouterr().err
