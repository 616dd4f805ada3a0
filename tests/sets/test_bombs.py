"""Small files that declare much, or unpack to much, are refused before memory is taken for it."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
import torch
from bombs import BOMBS, sparse

from data import DataError
from data.files import size_limits
from data.files.array_file import ArrayFile, read_npy
from data.files.band_images import Cubes
from models import dcinn_ivf, load_pretrained, save_checkpoint

ROOT = Path(__file__).resolve().parents[2]
READ = """
import json, resource, sys
from pathlib import Path
from data import PanCollection
from data.files.array_file import ArrayFile, read_npy
from data.files.band_images import Cubes
from data.files.image_file import read_raster
from data.files.raster_windows import Windows
from models import load_pretrained
from utils.commandline.srf_option import read_srf

readers = {"pan": PanCollection, "array": lambda p: ArrayFile(p).read("gt"), "npy": read_npy, "cubes": Cubes,
           "image": read_raster, "windows": Windows, "weights": load_pretrained, "srf": read_srf}
found, most = {}, lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
for name, (reader, path) in json.load(sys.stdin).items():
    before = most()
    try:
        said = f"read: {readers[reader](Path(path))}"
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    found[name] = said, most() - before
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """name -> (what one process says of each bomb, mebibytes that its memory grew by), one after the other."""
    made = {}
    for number, (name, (reader, make, _)) in enumerate(BOMBS.items()):
        folder = tmp_path_factory.mktemp(f"bomb{number}")
        made[name] = reader, str(make(folder))

    def limited():
        resource.setrlimit(resource.RLIMIT_DATA, (6 * 2**30, 6 * 2**30))  # where the code is wrong

    run = subprocess.run(
        [sys.executable, "-c", READ],
        input=json.dumps(made),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=True,
        preexec_fn=limited,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", BOMBS)
def test_refused_in_little_memory(name, said):
    message, grown = said[name]
    assert BOMBS[name][2] in message
    assert "Error: " in message
    assert message.count("\n") == 0
    assert grown < 100, "mebibytes"


def test_what_is_packed_well_and_honestly_is_read(tmp_path):
    black = np.zeros((40, 1024, 1024), np.float32)  # 168 MB, a thousand times its file
    black[0, 0, 0] = 1
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("gt", data=black, compression="gzip", chunks=(1, 1024, 1024))
        file.create_dataset(
            "noise", data=np.random.default_rng(0).random((3, 512, 512)), compression="gzip", chunks=True
        )
    scipy.io.savemat(tmp_path / "a.mat", {"gt": black}, do_compression=True)
    np.save(tmp_path / "a.npy", black)
    tifffile.imwrite(tmp_path / "a.tif", black, compression="zlib", photometric="minisblack")
    for suffix in ("h5", "mat", "npy", "tif"):
        cubes = Cubes(tmp_path / f"a.{suffix}", axes="bhw")
        assert cubes.read(0, black.shape).sum() == 1, suffix
    assert ArrayFile(tmp_path / "a.h5").read("noise", 2).shape == (512, 512)
    assert type(read_npy(tmp_path / "a.npy")) is np.ndarray


@pytest.mark.parametrize(
    ("stored", "needed", "fits"),
    [
        (1000, 2**28, True),  # a little file may be anything small
        (1000, 2**28 + 1, False),
        (2**20, 2**30, True),  # a black cube
        (6 * 2**20, 6 * 2**30, False),
        (2**30, 5 * 2**30, True),  # a large file of usual data
        (2**26, 5 * 2**30, True),
    ],
)
def test_limits(stored, needed, fits, tmp_path, monkeypatch):
    monkeypatch.setattr(size_limits, "MEMORY", ())
    file = sparse(tmp_path / "a", stored)
    if fits:
        size_limits.check_declared(file, "an array", needed)
    else:
        with pytest.raises(DataError, match=r"GB declared in .* at most .* GB from one of this size"):
            size_limits.check_declared(file, "an array", needed)


def test_memory_is_looked_at(tmp_path, monkeypatch):
    about, limit = tmp_path / "meminfo", tmp_path / "memory.max"
    about.write_text("MemTotal: 4000000 kB\nMemAvailable: 2000000 kB\n")
    limit.write_text("max\n")
    monkeypatch.setattr(size_limits, "MEMORY", (about, limit, tmp_path / "none"))
    assert size_limits.free_memory() == 2000000 * 1024
    limit.write_text("1000000000\n")
    assert size_limits.free_memory() == 10**9
    with pytest.raises(DataError, match="fits into memory, of which 1 GB are free"):
        size_limits.check_declared(sparse(tmp_path / "a", 2**30), "an array", 10**9 + 1)


def test_weights_as_pytorch_writes_them_are_read(tmp_path):
    model = dcinn_ivf("max")
    save_checkpoint(tmp_path / "a.pth", model)
    content = torch.load(tmp_path / "a.pth", weights_only=True)
    torch.save(content, tmp_path / "b.pth", _use_new_zipfile_serialization=False)
    assert load_pretrained(tmp_path / "a.pth").config == model.config
    assert load_pretrained(tmp_path / "b.pth").config == model.config
