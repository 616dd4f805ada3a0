"""What the long runs of python -m tests.fuzzing have found in the readers and the checkpoint loader, mended since."""

import math
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import scipy.io
import torch
from PIL import Image

from data import DataError, Harvard, PanCollection
from data.files.array_file import ArrayFile
from data.files.band_images import Cubes
from data.files.image_file import read_raster
from data.files.matlab5 import read_matlab5
from data.files.raster_windows import Windows
from data.patches.h5 import H5Patches
from data.simulate import spectral_response
from models import CheckpointError, dcinn_ps, load_pretrained, save_checkpoint
from models.config import checked_srf
from utils.commandline.srf_option import read_srf
from utils.training.logs import log_rows

ROOT = Path(__file__).resolve().parents[2]


def test_a_damaged_type_number_in_a_mat_file_does_not_end_the_process(tmp_path):
    """SciPy's reader looks it up beyond its tables; in a process of its own, should it ever be back."""
    path = tmp_path / "s.mat"
    scipy.io.savemat(path, {"I_PAN": np.ones((8, 8))})
    data = bytearray(path.read_bytes())
    at = data.index(struct.pack("<II", 9, 8 * 8 * 8))
    data[at : at + 4] = struct.pack("<I", 0xFFFF)
    path.write_bytes(data)
    code = "import sys; from data import PanCollection; PanCollection(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "DataError" in done.stderr
    assert "numbers of type 65535" in done.stderr


@pytest.mark.parametrize("compress", [False, True])
def test_mat_files_are_read_as_scipy_reads_them(compress, tmp_path):
    rng = np.random.default_rng(0)
    numbers = {f"a{i}": rng.integers(0, 99, (3, 2, 4)[: i % 4]).astype(t) for i, t in enumerate("bBhHiIqQfdFD?")}
    texts = {"sensor": "WV3", "rows": ["ab", "cd"], "other": "ü€", "none": ""}
    left_out = {"cell": np.array([1, "x"], object), "structure": {"q": 1}}
    scipy.io.savemat(tmp_path / "a.mat", numbers | texts | left_out, do_compression=compress)
    ours, theirs = read_matlab5(tmp_path / "a.mat"), scipy.io.loadmat(tmp_path / "a.mat")
    assert list(ours) == [*numbers, *texts]
    for name, array in ours.items():
        assert array.shape == theirs[name].shape, name
        assert array.dtype.kind == theirs[name].dtype.kind, name
        assert np.array_equal(array, theirs[name]), name


def test_what_numpy_loads_beside_arrays_is_refused(tmp_path):
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        np.savez(file, a=np.ones((4, 4)))
    torn = b"\x93NUMPY\x01\x00" + struct.pack("<H", 20) + b"{'descr': (".ljust(20)
    for content, words in ((path.read_bytes(), "archive"), (torn, "no readable .npy"), (b"PK\x03\x04", "no readable")):
        path.write_bytes(content)
        for reader in (Cubes, Windows, read_srf):
            with pytest.raises(DataError, match=words) as error:
                reader(path)
            assert str(path) in str(error.value)


def test_pixels_that_a_decoder_made_up_are_refused_and_its_noise_is_kept(tmp_path, capfd):
    whole = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8))[1].tobytes()
    scan = whole.index(b"\xff\xda") + 40
    torn = whole[:scan] + b"\xff\xd9" + whole[scan:]
    (tmp_path / "a.jpg").write_bytes(torn)
    with pytest.raises(DataError, match=r"a\.jpg: found no readable image \(Corrupt JPEG data: premature end"):
        read_raster(tmp_path / "a.jpg")
    at = whole.index(b"\xff\xdb")
    (tmp_path / "b.jpg").write_bytes(whole[:at] + bytes(9) + whole[at:])
    assert read_raster(tmp_path / "b.jpg").shape == (64, 64), "some cameras write such files"
    Image.new("L", (64, 64)).save(tmp_path / "c.png")
    png = bytearray((tmp_path / "c.png").read_bytes())
    png[16:24] = struct.pack(">II", 64, 6400)  # far more rows than there are, the checksum right
    png[29:33] = struct.pack(">I", zlib.crc32(png[12:29]))
    (tmp_path / "c.png").write_bytes(png)
    with pytest.raises(DataError, match=r"c\.png"):
        read_raster(tmp_path / "c.png")
    assert capfd.readouterr().err == ""


def test_what_libtiff_says_of_a_damaged_tiff_stays_in_the_line(tmp_path, capfd):
    Image.fromarray(np.arange(4096, dtype=np.uint16).astype(np.uint8).reshape(64, 64)).save(
        tmp_path / "a.tif", compression="tiff_adobe_deflate"
    )
    data = bytearray((tmp_path / "a.tif").read_bytes())
    middle = data.index(b"\x78\x9c") + 20
    data[middle : middle + 8] = bytes(8)
    (tmp_path / "a.bmp").write_bytes(data)  # the name says nothing: Pillow goes by the content
    with pytest.raises(DataError, match=r"a\.bmp: found no readable image"):
        read_raster(tmp_path / "a.bmp")
    assert capfd.readouterr().err == ""


def test_more_bands_than_an_image_has(tmp_path):
    """Wald's protocol would ask for a filter of each band at once: gigabytes for a file of two megabytes."""
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file["I_PAN"] = np.zeros((32, 32), np.uint16)
        file.create_dataset("I_MS", (8, 8, 65536), np.float32, chunks=(8, 8, 64))
    with pytest.raises(DataError, match=r"a\.mat: found 65536 bands, expected at most 1024"):
        PanCollection(tmp_path / "a.mat")


def test_a_shape_that_no_file_of_the_size_can_hold(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, bands in (("pan", 1), ("ms", 4)):
            side = 2**16 if name == "pan" else 2**14
            file.create_dataset(name, (1, bands, side, side), np.float32, chunks=(1, 1, 16, 16))
    with pytest.raises(DataError, match=r"a\.h5: found pan of shape .* 17.2 GB declared in \d+ bytes"):
        PanCollection(tmp_path / "a.h5")[0]
    (tmp_path / "scenes").mkdir()
    with h5py.File(tmp_path / "scenes/b.mat", "w") as file:
        file.create_dataset("ref", (31, 2**20, 2**20), np.float32, chunks=(1, 16, 16))
    with pytest.raises(DataError, match="GB declared in"):
        Harvard(tmp_path / "scenes", side=8)[0]


def test_names_in_a_file_cannot_break_the_line(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["two\nlines\x1b[31m"], file[b"\xff\xfe"], file["long " * 500] = 1, 2, 3
    with pytest.raises(DataError) as error:
        PanCollection(tmp_path / "a.h5")
    message = str(error.value)
    assert message.isprintable()
    assert len(message) < 1000
    assert "�" in "".join(ArrayFile(tmp_path / "a.h5"))
    with h5py.File(tmp_path / "b.mat", "w") as file:
        file["z\ufeff\xad\u2028z"] = np.ones(2)
    with pytest.raises(DataError, match="expected R or srf") as error:
        read_srf(tmp_path / "b.mat")
    assert str(error.value).isprintable()


def test_numbers_of_a_type_that_no_machine_has(tmp_path):
    kind = h5py.h5t.IEEE_F64LE.copy()
    kind.set_ebias(2**20)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["pan"] = np.ones((1, 1, 32, 32))
        h5py.h5d.create(file.id, b"ms", kind, h5py.h5s.create_simple((1, 4, 8, 8)))
    with pytest.raises(DataError, match=r"a\.h5: found unreadable ms \(Insufficient precision"):
        PanCollection(tmp_path / "a.h5")[0]


def test_a_type_that_no_processor_has_is_refused_before_its_size_is_looked_at(tmp_path):
    kind = h5py.h5t.IEEE_F64LE.copy()
    kind.set_ebias(2**20)
    for name in ("GT", "HSI_up", "LRHSI", "RGB"):
        with h5py.File(tmp_path / "a.h5", "a") as file:
            h5py.h5d.create(file.id, name.encode(), kind, h5py.h5s.create_simple((2, 4, 16, 16)))
    with pytest.raises(DataError, match=r"a\.h5: found unreadable GT \(Insufficient precision"):
        H5Patches(tmp_path / "a.h5").sample(0)


def test_a_damaged_png_of_another_suffix(tmp_path):
    data = bytearray(cv2.imencode(".png", np.zeros((8, 9), np.uint8))[1].tobytes())
    at = data.index(b"IDAT")
    data[at - 4 : at] = (2**27).to_bytes(4, "big")
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(DataError, match=r"a\.jpg: found no readable image \((Truncated|broken)"):
        read_raster(tmp_path / "a.jpg")


def test_a_mask_of_text_and_a_log_of_bytes(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"ref": np.zeros((8, 8, 31)), "lbl": ["abcdefgh"] * 8})
    with pytest.raises(DataError, match=r"a\.mat: found lbl, <U8 of shape"):
        Harvard(tmp_path, side=8)[0]
    for content in (b"\xff\xfe\x00", b"epoch,step\n" + b"9" * 5000 + b",1\n", b"epoch,step\n1\x00,2\n"):
        (tmp_path / "train.csv").write_bytes(content)
        with pytest.raises(DataError, match=r"train\.csv: found no readable log"):
            log_rows(tmp_path / "train.csv")


def test_a_flipped_bit_of_a_weight_is_seen(tmp_path):
    path = tmp_path / "w.pth"
    save_checkpoint(path, dcinn_ps(2, low_blocks=1))
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda part: part.file_size)
    data = bytearray(path.read_bytes())
    data[largest.header_offset + largest.file_size // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=rf"w\.pth: found a checkpoint whose part {largest.filename} is damaged"):
        load_pretrained(path)


def test_weights_that_only_the_file_can_hold(tmp_path, monkeypatch):
    model = dcinn_ps(2, low_blocks=1)
    save_checkpoint(tmp_path / "w.pth", model)
    content = torch.load(tmp_path / "w.pth", weights_only=True)
    name = next(iter(content["model"]))
    content["model"][name] = content["model"][name].double() * 0 + 1e300
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(CheckpointError, match=f"{name}: found NaN or infinity"):
        load_pretrained(tmp_path / "w.pth")
    torch.save({"two\nlines\x1b": torch.zeros(1), "long " * 999: torch.zeros(1)}, tmp_path / "w.pth")
    with pytest.raises(CheckpointError) as error:
        load_pretrained(tmp_path / "w.pth")
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 1200
    with pytest.raises(ValueError, match="table of numbers"):
        checked_srf([[10**400, 0], [0, 1], [0, 0]])
    monkeypatch.setattr(torch, "load", lambda *_, **__: bytearray(2**62))
    with pytest.raises(CheckpointError, match="MemoryError"):
        load_pretrained(tmp_path / "w.pth")


def test_a_response_in_every_kind_of_file(tmp_path):
    expected = spectral_response()
    np.save(tmp_path / "r.npy", expected)
    scipy.io.savemat(tmp_path / "r.mat", {"R": expected})
    np.savetxt(tmp_path / "r.csv", expected, delimiter=",")
    for suffix in ("npy", "mat", "csv"):
        assert np.allclose(read_srf(tmp_path / f"r.{suffix}"), expected, atol=1e-12)
    assert math.isclose(expected.sum(), 3, rel_tol=1e-3)
