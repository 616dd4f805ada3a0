"""Disks that are full or fill up: one line, earlier results whole, nothing half written."""

import errno
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from outputs import ended, ivf, one_line, snapshot
from small_trainings import train

import test_dcinn_ivf_tno
import test_dcinn_ps
from data.files.atomic import write_whole
from models import dcinn_ps, load_pretrained, save_checkpoint
from utils.evaluation import infrared_visible
from utils.output.figures import Panel, comparison_figure
from utils.output.images import write_bands, write_png, write_stored

DEVICE = Path("/dev/full")


def full(*_, **__):
    """As write() raises it: without the name of the file."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("suffix", ["mat", "npy", "tif", "png", "figure"])
@pytest.mark.skipif(not DEVICE.exists(), reason="needs a device that is always full")
def test_no_writer_passes_over_a_full_disk(suffix, tmp_path):
    path, image = tmp_path / f"a.{suffix}", np.random.default_rng(0).random((4, 64, 64))
    path.symlink_to(DEVICE)
    writers = {
        "png": lambda: write_png(path, (image[0] * 255).astype(np.uint8)),
        "figure": lambda: comparison_figure(path, [[Panel("a", image[0])]], "caption"),
    }
    with pytest.raises(OSError, match="No space left"):
        writers.get(suffix, lambda: write_bands(path, image, 2047))()


@pytest.mark.parametrize("first", [True, False])
def test_a_disk_that_fills_up_is_said_and_earlier_results_stay(first, tmp_path, capfd, monkeypatch):
    options, calls = ivf(tmp_path), []
    if not first:
        test_dcinn_ivf_tno.main([str(o) for o in options])
    before = snapshot(tmp_path)
    capfd.readouterr()

    def second(*arguments):
        calls.append(arguments)
        (full if len(calls) == 2 else write_stored)(*arguments)

    monkeypatch.setattr(infrared_visible, "write_stored", second)
    ended(test_dcinn_ivf_tno.main, *options)
    assert f"{tmp_path / 'out'}: No space left on device" in one_line(capfd)
    assert snapshot(tmp_path) == before


def test_a_full_disk_under_a_training_leaves_its_files_whole(tmp_path, capsys, monkeypatch):
    train("ivf_tno", tmp_path, "--steps", 1)
    before = snapshot(tmp_path)
    capsys.readouterr()

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SystemExit) as stop:
        train("ivf_tno", tmp_path, "--resume", "--steps", 2)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert re.search(rf"{tmp_path}/run/(last.pth|best.pth|train.csv|run.json): No space left on device", error)
    after = snapshot(tmp_path)
    assert [p.name for p in after if p.name.startswith(".")] == []
    assert after[tmp_path / "run/last.pth"] == before[tmp_path / "run/last.pth"]
    with pytest.raises(OSError, match="No space") as error:
        write_whole(tmp_path / "run/train.csv", "epoch\n")
    assert error.value.filename == str(tmp_path / "run/train.csv")
    assert snapshot(tmp_path) == after


def test_a_checkpoint_that_does_not_fit(tmp_path, monkeypatch):
    save_checkpoint(tmp_path / "w.pth", dcinn_ps(2, low_blocks=1))
    before = snapshot(tmp_path)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space") as error:
        save_checkpoint(tmp_path / "w.pth", dcinn_ps(2, low_blocks=1))
    assert error.value.filename == str(tmp_path / "w.pth")
    assert snapshot(tmp_path) == before
    load_pretrained(tmp_path / "w.pth")


@pytest.mark.parametrize("how", ["free", "reserved"])
def test_a_scene_that_the_disk_has_no_room_for(how, tmp_path, capfd, monkeypatch):
    """Else the process would end while it writes through memory."""
    rng = np.random.default_rng(0)
    for name, shape in (("ms", (16, 16, 4)), ("pan", (64, 64))):
        image = rng.integers(1, 2000, shape).astype(np.uint16)
        layout = {"planarconfig": "contig"} if name == "ms" else {}
        tifffile.imwrite(tmp_path / f"{name}.tif", image, photometric="minisblack", **layout)
    before = snapshot(tmp_path)
    if how == "free":
        monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    else:
        monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    scene = ("--ms", tmp_path / "ms.tif", "--pan", tmp_path / "pan.tif", "--weights", "untrained")
    ended(test_dcinn_ps.main, *scene, "--output", tmp_path / "out")
    assert f"{tmp_path / 'out/fused.tif'}: found " in one_line(capfd)
    assert snapshot(tmp_path) == before
