"""Small files that declare much, or unpack to much, are refused before memory is taken for it."""

import io
import json
import os
import resource
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import tifffile
import torch

from data import DataError
from data.files import size_limits
from data.files.array_file import ArrayFile, read_npy
from data.files.band_images import Cubes
from models import dcinn_ivf, load_pretrained, save_checkpoint

ROOT = Path(__file__).resolve().parents[2]
MEBI = 2**20
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


def zeros(mebibytes, first=b""):
    """A stream of zlib, `first` and so many mebibytes of zeros, made of equal pieces; without a checksum."""
    packer = zlib.compressobj(9)
    start = packer.compress(first) + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(bytes(MEBI)) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + piece * mebibytes + b"\x03\0" + bytes(4)


def tag(kind, size):
    return struct.pack("<II", kind, size)


def mat(path, mebibytes, times=1, declared=None):
    """A MATLAB v5 file of arrays of bytes, `gt`, that are compressed zeros."""
    size = mebibytes * MEBI if declared is None else declared
    array = tag(6, 8) + struct.pack("<II", 9, 0) + tag(5, 8) + struct.pack("<ii", 1, size) + tag(1, 2)
    array += b"gt" + bytes(6) + tag(2, size)
    body = zeros(mebibytes, tag(14, len(array) + size) + array)
    header = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x100) + b"IM"
    path.write_bytes(header + (tag(15, len(body)) + body) * times)
    return path


def png(path, side, channels=1):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2 if channels == 3 else 0, 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zeros(channels * side * (side + 1) // MEBI + 1)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return path


def unwritten(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("ms", (10**6, 4, 250, 250), "f4", chunks=(1, 4, 250, 250))
        file.create_dataset("pan", (10**6, 1, 1000, 1000), "f4", chunks=(1, 1, 1000, 1000))
    return path


def unwritten_cube(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("gt", (100, 10**5, 10**5), "u1", chunks=(1, 1000, 1000))
    return path


def links(path):
    with h5py.File(path, "w") as file:
        for number in range(20000):
            file[f"k{number}"] = h5py.SoftLink("/pan")
    return path


def one_chunk(path, packed, times=1):
    """A dataset of one chunk of a mebibyte, whose packed bytes are these."""
    created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    created.set_chunk((1, 1024, 1024))
    for _ in range(times):
        created.set_deflate(9)
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple((1, 1024, 1024))
        h5py.h5d.create(file.id, b"gt", h5py.h5t.NATIVE_UINT8, space, created).write_direct_chunk((0, 0, 0), packed)
    return path


def huge_chunk(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("gt", (3, 20000, 20000), "u1", chunks=(3, 20000, 20000), compression="gzip")
    return path


def many_chunks(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("gt", (200, 1000, 1000), "u1", chunks=(1, 1, 1))
    return path


def tiff(path, shape):
    """A TIFF whose header declares another shape than its one strip has."""
    tifffile.imwrite(path, np.zeros((16, 16), np.uint8), compression="zlib")
    with tifffile.TiffFile(path) as file:
        places = [file.pages[0].tags[name] for name in ("ImageLength", "ImageWidth", "RowsPerStrip")]
    data = bytearray(path.read_bytes())
    for place, side in zip(places, (*shape, shape[0]), strict=True):
        struct.pack_into("<HHII", data, place.offset, place.code, 4, 1, side)
    path.write_bytes(data)
    return path


def pages(path):
    header, count = b"II*\0" + struct.pack("<I", 8), 5000
    for number in range(count):
        at = 8 + number * 54
        entries = ((256, 8), (257, 8), (258, 8), (273, 0))
        header += struct.pack("<H", 4) + b"".join(struct.pack("<HHII", code, 4, 1, value) for code, value in entries)
        header += struct.pack("<I", at + 54 if number + 1 < count else 0)
    path.write_bytes(header)
    return path


def npy(path):
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": (10**4, 10**4, 10**4)}
        )
        file.write(bytes(1000))
    return path


def npz(path):
    with path.open("wb") as file:
        np.savez_compressed(file, gt=np.zeros((64, MEBI), np.uint8))
    return path


def sparse(path, size):
    with path.open("wb") as file:
        file.truncate(size)
    return path


def packed_weights(path, unused=0):
    """As PyTorch saves weights, deflated, with so many mebibytes of zeros that nobody asks for."""
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(64 * MEBI, dtype=torch.uint8)}, buffer)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in source.namelist():
            made.writestr(name, source.read(name))
        if unused:
            with made.open("archive/unused", "w") as file:
                for _ in range(unused):
                    file.write(bytes(MEBI))
    return path


def overlapping_weights(path):
    """A zip file whose directory names one part a hundred times."""
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("archive/data/0", bytes(MEBI))
        made.filelist *= 100
    return path


def tar(path):
    with tarfile.open(path, "w") as file:
        for name in ("storages", "tensors", "pickle"):
            file.addfile(tarfile.TarInfo(name), io.BytesIO())
    return path


BOMBS = {
    "1e12 values, stacked": ("pan", lambda t: unwritten(t / "a.h5"), "GB declared in"),
    "1e12 values, one image": ("cubes", lambda t: unwritten_cube(t / "a.h5"), "GB declared in"),
    "20000 links": ("pan", lambda t: links(t / "a.h5"), "found 20000 names"),
    "chunk of more than it says": ("array", lambda t: one_chunk(t / "a.h5", zeros(600)), "unpacks to more than its"),
    "chunk packed twice": (
        "array",
        lambda t: one_chunk(t / "a.h5", zlib.compress(zeros(600)) + bytes(MEBI), 2),
        "twice",
    ),
    "one huge chunk": ("array", lambda t: huge_chunk(t / "a.h5"), "GB declared in"),
    "chunks of one value": ("array", lambda t: many_chunks(t / "a.h5"), "chunks, expected at most"),
    "6 GB in 6 MB": ("pan", lambda t: mat(t / "a.mat", 1024, times=6), "6.44 GB declared in"),
    "MAT of more than it says": ("array", lambda t: mat(t / "a.mat", 600, declared=64), "other than"),
    "MAT of less than it says": ("array", lambda t: mat(t / "a.mat", 1, declared=200 * MEBI), "no readable"),
    "PNG": ("image", lambda t: png(t / "a.png", 30000), "limit"),
    "PNG below Pillow's limit": ("image", lambda t: png(t / "a.png", 12000, 3), "GB declared in"),
    "TIFF picture": ("image", lambda t: tiff(t / "a.tif", (40000, 40000)), "GB declared in"),
    "TIFF cube": ("cubes", lambda t: tiff(t / "a.tif", (40000, 40000)), "GB declared in"),
    "TIFF scene": ("windows", lambda t: tiff(t / "a.tif", (40000, 40000)), "GB declared in"),
    "TIFF pages, picture": ("image", lambda t: pages(t / "a.tif"), "more than 2048 pages"),
    "TIFF pages, cube": ("cubes", lambda t: pages(t / "a.tif"), "more than 2048 pages"),
    "TIFF pages, scene": ("windows", lambda t: pages(t / "a.tif"), "more than 2048 pages"),
    "npy header": ("npy", lambda t: npy(t / "a.npy"), "no readable .npy"),
    "npz": ("npy", lambda t: npz(t / "a.npy"), "archive"),
    "deflated weights": ("weights", lambda t: packed_weights(t / "a.pth"), "compressed part"),
    "weights with a deflated rest": ("weights", lambda t: packed_weights(t / "a.pth", 600), "compressed part"),
    "overlapping parts": ("weights", lambda t: overlapping_weights(t / "a.pth"), "parts of 104857600 bytes"),
    "tar": ("weights", lambda t: tar(t / "a.pth"), "no readable checkpoint"),
    "huge file of weights": ("weights", lambda t: sparse(t / "a.pth", 2**36), "GB, expected at most"),
    "huge table": ("srf", lambda t: sparse(t / "a.csv", 2**36), "GB, expected a spectral response"),
    "huge MAT": ("pan", lambda t: sparse_mat(mat(t / "a.mat", 1)), "fits into memory"),
}


def sparse_mat(path):
    """A sound header and a tebibyte of nothing."""
    with path.open("rb+") as file:
        file.truncate(2**40)
    return path


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
