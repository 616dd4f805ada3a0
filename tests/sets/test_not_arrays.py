"""Structures, cells and their like in files of arrays: named, with the way to arrays, and not passed over."""

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.sparse

from data import DataError, Harvard, PanCollection
from data.files.array_file import ArrayFile
from data.files.band_images import Cubes
from utils.commandline.srf_option import read_srf

MS, PAN = np.full((8, 8, 4), 300, np.uint16), np.full((32, 32), 300, np.uint16)


def v5(path, compress=False, **content):
    """As MATLAB's save: dictionaries are structures, lists are cells."""
    held = {}
    for name, value in content.items():
        if isinstance(value, list):
            held[name] = np.empty((1, len(value)), object)
            held[name][0] = [*value] if len(value) > 1 else None
            for i, part in enumerate(value):
                held[name][0, i] = part
        else:
            held[name] = value
    scipy.io.savemat(path, held, do_compression=compress)


def v73(path, **content):
    """As MATLAB's save(..., '-v7.3'): structures are groups, cells are references, axes are reversed."""
    with h5py.File(path, "w", userblock_size=512) as file:

        def put(place, name, value):
            if isinstance(value, dict):
                for inner, part in value.items():
                    put(place.require_group(name), inner, part)
                place[name].attrs["MATLAB_class"] = np.bytes_("struct")
            elif isinstance(value, list):
                refs = file.require_group("#refs#")
                for i, part in enumerate(value):
                    put(refs, f"{name}{i}", part)
                cell = place.create_dataset(name, (1, len(value)), h5py.ref_dtype)
                cell[0] = [refs[f"{name}{i}"].ref for i in range(len(value))]
                cell.attrs["MATLAB_class"] = np.bytes_("cell")
            else:
                place.create_dataset(name, data=value.T).attrs["MATLAB_class"] = np.bytes_("uint16")

        for name, value in content.items():
            put(file, name, value)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64")


def compressed(path, **content):
    v5(path, compress=True, **content)


@pytest.fixture(params=[v5, compressed, v73])
def write(request):
    return request.param


def message(read, *args):
    with pytest.raises(DataError) as error:
        read(*args)
    return str(error.value)


def test_a_structure_is_named_with_its_fields(write, tmp_path):
    write(tmp_path / "s.mat", data={"I_MS": MS, "I_PAN": PAN})
    said = message(PanCollection, tmp_path / "s.mat")
    assert "s.mat: found the keys (none) and data, a struct (I_MS, I_PAN), expected pan or I_PAN" in said
    assert "t = s.data; save('plain.mat', '-struct', 't')" in said


def test_a_cell_is_named(write, tmp_path):
    write(tmp_path / "s.mat", I_MS=[MS], I_PAN=PAN)
    said = message(PanCollection, tmp_path / "s.mat")
    assert "found the keys I_PAN and I_MS, a cell, expected I_MS as a plain array" in said
    assert "I_MS = I_MS{1}; save('plain.mat')" in said


def test_a_reference_in_a_cell_is_not_taken_for_none(write, tmp_path):
    """Without it the scene would be fused at full resolution, and no one told."""
    write(tmp_path / "s.mat", I_MS=MS, I_PAN=PAN, I_GT=[np.full((32, 32, 4), 300, np.uint16)])
    assert "I_GT, a cell" in message(PanCollection, tmp_path / "s.mat")


def test_what_is_not_asked_for_does_no_harm(write, tmp_path):
    write(tmp_path / "s.mat", I_MS=MS, I_PAN=PAN, about={"who": PAN}, names=[PAN, MS])
    assert PanCollection(tmp_path / "s.mat").bands == 4
    file = ArrayFile(tmp_path / "s.mat")
    assert sorted(name for name in file if name[0] != "_") == ["I_MS", "I_PAN"]
    assert {name: other.kind for name, other in file.others.items()} == {"about": "struct", "names": "cell"}


@pytest.mark.parametrize(
    ("content", "reader", "words"),
    [
        ({"ref": [MS]}, lambda p: Harvard(p.parent, side=8)[0], "ref, a cell"),
        ({"scene": {"ref": MS}}, lambda p: Harvard(p.parent, side=8)[0], "scene, a struct (ref)"),
        ({"R": {"data": MS}}, read_srf, "R, a struct (data)"),
        ({"result": {"fused": MS}}, lambda p: Cubes(p).read(0, (4, 8, 8)), "result, a struct (fused)"),
    ],
)
def test_every_reader(content, reader, words, write, tmp_path):
    write(tmp_path / "s.mat", **content)
    assert words in message(reader, tmp_path / "s.mat")


def test_many_fields_are_cut(write, tmp_path):
    write(tmp_path / "s.mat", data={f"f{i:03d}": np.ones((2, 2), np.uint16) for i in range(200)})
    said = message(PanCollection, tmp_path / "s.mat")
    assert "f007, ..." in said
    assert "f008" not in said


def test_sparse_matrices_and_groups(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"I_PAN": scipy.sparse.eye_array(4).tocsc()})
    said = message(PanCollection, tmp_path / "a.mat")
    assert "I_PAN, a sparse matrix" in said
    assert "full(I_PAN)" in said
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data/pan"] = PAN
    assert "data, a group (pan), expected pan or I_PAN: at the top of the file" in message(
        PanCollection, tmp_path / "a.h5"
    )
