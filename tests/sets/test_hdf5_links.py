"""HDF5 files that keep their data elsewhere are refused before anything else is opened."""

import os

import h5py
import numpy as np
import pytest

from data import DataError, PanCollection
from data.files.array_file import ArrayFile
from data.files.band_images import Cubes
from utils.commandline.srf_option import read_srf

MS = np.full((1, 4, 16, 16), 100, np.float32)
PAN = np.full((1, 1, 64, 64), 90, np.float32)


@pytest.fixture
def other(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"], file["group/y"] = PAN, PAN
    (tmp_path / "private.bin").write_bytes(b"secret" * 4000)
    return tmp_path / "other.h5"


def raw(file, name, shape, other):
    file.create_dataset(name, shape, "u1", external=[(str(other.with_name("private.bin")), 0, int(np.prod(shape)))])


def linked(file, name, shape, other):
    file[name] = h5py.ExternalLink(str(other), "/x")


def over_a_group(file, name, shape, other):
    file["elsewhere"] = h5py.ExternalLink(str(other), "/group")
    file[name] = h5py.SoftLink("/elsewhere/y")


def over_links(file, name, shape, other):
    file["one"] = h5py.SoftLink("two")
    file["two"] = h5py.ExternalLink(str(other), "/x")
    file[name] = h5py.SoftLink("/./one")


def virtual(file, name, shape, other):
    layout = h5py.VirtualLayout(shape, "f4")
    layout[...] = h5py.VirtualSource(other, "x", shape)
    file.create_virtual_dataset(name, layout)


def virtual_without_source(file, name, shape, other):
    layout = h5py.VirtualLayout(shape, "f4")
    layout[...] = h5py.VirtualSource("none.h5", "x", shape)
    file.create_virtual_dataset(name, layout, fillvalue=0)


def endless(file, name, shape, other):
    file[name] = h5py.SoftLink(f"/{name}")


ELSEWHERE = [raw, linked, over_a_group, over_links, virtual, virtual_without_source, endless]


@pytest.mark.parametrize("suffix", ["h5", "mat"])
@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_data_of_other_files_are_refused(elsewhere, suffix, other, tmp_path, monkeypatch):
    path = tmp_path / f"scene.{suffix}"
    with h5py.File(path, "w", libver="latest") as file:
        file["ms"] = MS
        elsewhere(file, "pan", PAN.shape, other)
    other.unlink()
    os.mkfifo(other)  # whoever opens it hangs
    words = "lead" if elsewhere is endless else "other file"
    with pytest.raises(DataError, match=f"scene.{suffix}: found (pan|two|one|elsewhere).*{words}.*expected data in"):
        PanCollection(path, sensor="none", bits=8)


def test_every_reader_of_hdf5_refuses(other, tmp_path):
    for name, key, shape, reader in (
        ("fused.h5", "fused", (4, 16, 16), Cubes),
        ("srf.h5", "srf", (4, 3), read_srf),
        ("any.mat", "x", (4, 3), ArrayFile),
    ):
        with h5py.File(tmp_path / name, "w") as file:
            raw(file, key, shape, other)
        with pytest.raises(DataError, match="external storage"):
            reader(tmp_path / name)


def test_soft_links_inside_a_file_are_followed(tmp_path):
    with h5py.File(tmp_path / "scene.h5", "w") as file:
        file["ms"], file["deep/pan"] = MS, PAN
        file["pan"] = h5py.SoftLink("deep/pan")
        file["dangling"] = h5py.SoftLink("/nowhere/at/all")
        file["self"] = h5py.SoftLink("/.")
    item = PanCollection(tmp_path / "scene.h5", sensor="none", bits=8)[0]
    assert np.allclose(item["pan"], 90 / 255)


def test_too_many_names(tmp_path):
    with h5py.File(tmp_path / "scene.h5", "w") as file:
        file["pan"] = PAN
        for number in range(20000):
            file[f"k{number}"] = h5py.SoftLink("/pan")
    with pytest.raises(DataError, match="found 20001 names, expected at most 1000"):
        ArrayFile(tmp_path / "scene.h5")
