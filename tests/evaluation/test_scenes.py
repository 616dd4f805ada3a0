"""Scenes larger than memory: tiles from disk to disk, the means of a scene, several processes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from tiny_scenes import stirred_network

import test_dcinn_ps
from data.files.raster_windows import Windows
from data.simulate import interp23
from models import dcinn_ps, save_checkpoint
from models.layers import SqueezeExcite
from models.scene_pooling import ScenePooling
from utils.evaluation.scene_by_tiles import ScenePair, _store
from utils.tiling import Tiling, fuse, fused_rows, sampled

ROOT = Path(__file__).resolve().parents[2]
TAGS = [(33550, "d", 3, (0.5, 0.5, 0.0), True), (33922, "d", 6, (0.0, 0.0, 0.0, 4e5, 5e6, 0.0), True)]


@pytest.fixture
def scene(tmp_path):
    """(B, h, w) and (H, W) in 11 bits, and their files."""
    rng = np.random.default_rng(0)
    pan = np.kron(rng.integers(100, 1900, (26, 40)), np.ones((8, 8))).astype(np.uint16)
    pan += rng.integers(0, 60, pan.shape).astype(np.uint16)
    ms = rng.integers(100, 1900, (4, 52, 80)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "ms.tif", np.moveaxis(ms, 0, -1), planarconfig="contig", photometric="minisblack")
    tifffile.imwrite(tmp_path / "pan.tif", pan, extratags=TAGS)
    return ms, pan, tmp_path


@pytest.fixture
def weights(tmp_path):
    """A stirred network of four bands, and its file."""
    model = stirred_network(tmp_path / "w.pth")
    return model, tmp_path / "w.pth"


def test_windows_upsample_as_the_whole(scene):
    ms, pan, folder = scene
    source = ScenePair(Windows(folder / "ms.tif"), Windows(folder / "pan.tif"), 2047)
    lms = np.moveaxis(interp23(np.moveaxis(ms / 2047, 0, -1), 4), -1, 0)
    for rows, columns in (((0, 64), (0, 64)), ((8, 104), (256, 320)), ((144, 208), (16, 17)), ((3, 10), (5, 318))):
        found, guide = source.read(rows, columns)
        assert np.allclose(found[0], lms[:, slice(*rows), slice(*columns)], atol=1e-6)
        assert np.allclose(guide[0, 0], pan[slice(*rows), slice(*columns)] / 2047, atol=1e-6)


@pytest.mark.parametrize("pooling", ["scene", "tile"])
def test_a_scene_from_disk_to_disk(pooling, scene, weights, capsys):
    ms, pan, folder = scene
    model, file = weights
    options = ["--ms", folder / "ms.tif", "--pan", folder / "pan.tif", "--weights", file, "--output", folder / "o"]
    test_dcinn_ps.main([*map(str, options), "--tile", "96", "--pooling", pooling])
    assert "208x320 pixels in" in capsys.readouterr().out
    lms = interp23(np.moveaxis(ms / 2047, 0, -1), 4).astype(np.float32)
    a, b = torch.from_numpy(lms).permute(2, 0, 1)[None], torch.from_numpy(pan / 2047).float()[None, None]
    expected = fuse(model, a, b, tile=96, scene=pooling == "scene")[0].permute(1, 2, 0).numpy() * 2047
    with tifffile.TiffFile(folder / "o/fused.tif") as tiff:
        found = tiff.asarray()
        assert tiff.pages[0].tags[33922].value == TAGS[1][3]
        assert tiff.pages[0].tags[33550].value == TAGS[0][3]
    assert found.shape == (208, 320, 4)
    assert found.dtype == np.uint16
    assert np.abs(found - expected.clip(0, 2047)).max() <= 0.55
    assert sorted(p.name for p in (folder / "o").iterdir()) == ["fused.tif", "fused_rgb.png"]


def test_scene_means_bring_tiles_nearer_to_the_whole(weights):
    model, _ = weights
    rng = np.random.default_rng(0)
    bright = np.linspace(0.1, 0.9, 320)  # so that tiles differ in their means
    a = torch.from_numpy(rng.random((1, 4, 192, 320)) * bright).float()
    b = torch.from_numpy(rng.random((1, 1, 192, 320)) * bright).float()
    whole, tiles, scene = (fuse(model, a, b, tile=t, scene=s) for t, s in ((0, False), (96, False), (96, True)))
    assert (scene - whole).abs().mean() < 0.75 * (tiles - whole).abs().mean()
    assert all(m.pooling is None for m in model.modules() if isinstance(m, SqueezeExcite)), "nothing is left behind"
    with ScenePooling(model) as pooling, pytest.raises(ValueError, match="found no tile"):
        pooling.use()


@pytest.mark.parametrize("world", [2, 3, 9])
def test_shares_of_several_processes_are_the_whole(world, weights):
    model, _ = weights
    torch.manual_seed(0)
    a, b = torch.rand(1, 4, 184, 64), torch.rand(1, 1, 184, 64)
    tiling = Tiling(184, 64, 48)
    read = lambda rows, columns: (a[..., slice(*rows), slice(*columns)], b[..., slice(*rows), slice(*columns)])  # noqa: E731
    parts = []
    for rank in range(world):
        rows = tiling.share(rank, world)
        done = iter(range(99))
        parts += list(fused_rows(model, tiling, read, rows, done.__next__))
        assert next(done) == tiling.tiles(rows)
    assert [top for top, _ in parts] == [top for top, _ in tiling.rows]
    found = torch.cat([part for _, part in parts], dim=-2)
    assert torch.allclose(found, fuse(model, a, b, tile=48), atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("bands", "found 4 bands, expected 8 of the weights"),
        ("ratio", "expected 2, 4 or 8 times its sides"),
        ("pan", "found 4 bands, expected one, the pan image"),
        ("range", "expected 0 to 1023 (--bits)"),
        ("alone", "expected both and no --data"),
        ("output", "found an input of this run"),
        ("--resolution", "--resolution: found beside --ms and --pan, expected with --data only"),
        ("--limit", "--limit: found beside --ms and --pan, expected with --data only"),
    ],
)
def test_scenes_that_cannot_be_fused(change, message, scene, weights, tmp_path, capsys):
    _, pan, folder = scene
    files = {"--ms": folder / "ms.tif", "--pan": folder / "pan.tif", "--weights": weights[1], "--output": folder / "o"}
    more = []
    if change == "bands":
        save_checkpoint(folder / "w8.pth", dcinn_ps(8))
        files["--weights"] = folder / "w8.pth"
    elif change == "ratio":
        tifffile.imwrite(folder / "pan.tif", pan[:, :300])
    elif change == "pan":
        files["--pan"] = files["--ms"]
    elif change.startswith("--"):
        more = [change, {"--resolution": "full", "--limit": "1"}[change]]
    elif change == "range":
        more = ["--bits", "10"]
    elif change == "alone":
        del files["--pan"]
    elif change == "output":
        files["--pan"] = (folder / "pan.tif").rename(folder / "fused.tif")
        files["--output"] = folder
    with pytest.raises(SystemExit) as stop:
        test_dcinn_ps.main([*(str(part) for item in files.items() for part in item), *more])
    assert stop.value.code == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert message in error
    assert not (folder / "o").exists()
    assert not list(folder.glob(".*"))


@pytest.mark.slow
def test_two_processes_fuse_one_scene(scene, weights):
    _, _, folder = scene
    options = ["--ms", folder / "ms.tif", "--pan", folder / "pan.tif", "--weights", weights[1], "--tile", "64"]
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    for name, start in (("one", []), ("two", launcher)):
        command = [sys.executable, *start, "test_dcinn_ps.py", *map(str, options), "--output", str(folder / name)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("results in") == 1
    one, two = (tifffile.imread(folder / name / "fused.tif").astype(int) for name in ("one", "two"))
    assert np.abs(one - two).max() <= 1


def test_samples_of_eight_bits_do_not_wrap_around(tmp_path):
    path = tmp_path / "fused.tif"
    tifffile.memmap(path, shape=(2, 3, 4), dtype=np.uint8, planarconfig="contig", photometric="minisblack").flush()
    numbers = torch.tensor([-3.0, 0.4, 254.6, 264.0]).view(4, 1, 1).expand(4, 2, 3)
    _store(path, 0, numbers / 2047, 2047, "the weights")
    assert tifffile.imread(path)[0, 0].tolist() == [0, 0, 255, 255]


def test_the_means_come_from_all_over_a_scene():
    for side, tile in ((6176, 128), (6272, 512), (24704, 512), (700, 128)):
        tiling = Tiling(side, side, tile)
        places = sampled(tiling)
        last = len(tiling.rows) - 1
        assert len(set(places)) == len(places) <= 64
        for axis in (0, 1):
            seen = sorted({place[axis] for place in places})
            assert seen[0] <= last / 12
            assert seen[-1] >= last * 11 / 12
            assert max(np.diff(seen)) <= max(last / 8, 1)


def test_images_of_a_batch_keep_their_own_means(weights):
    model = weights[0]
    torch.manual_seed(2)
    a, b = torch.rand(2, 4, 96, 128), torch.rand(2, 1, 96, 128)
    a[1], b[1] = a[1] / 4, b[1] / 4
    together = fuse(model, a, b, tile=64, scene=True)
    alone = torch.cat([fuse(model, a[i : i + 1], b[i : i + 1], tile=64, scene=True) for i in range(2)])
    assert (together - alone).abs().max() <= 1e-5 * together.abs().max()
    with ScenePooling(model) as pooling:
        model(a, b)
        pooling.use()
        first = model(a, b)
        model(a.flip(-1) / 2, b)
        assert torch.equal(first, model(a, b))
