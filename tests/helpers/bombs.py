"""Small files that declare much, or unpack to much."""

import io
import struct
import tarfile
import zipfile
import zlib

import h5py
import numpy as np
import tifffile
import torch

MEBI = 2**20


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
