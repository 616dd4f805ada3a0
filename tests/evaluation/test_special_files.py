"""Pipes, sockets, devices and folders in the place of files: never opened, so that nothing waits for them."""

import os
import signal
import socket

import pytest
from outputs import pairs

import test_dcinn_ivf_tno
from data import DataError, PairedImages, PanCollection
from data.files.array_file import ArrayFile, read_npy
from data.files.band_images import Cubes
from data.files.image_file import read_raster
from data.files.raster_windows import Windows
from models import CheckpointError, load_pretrained
from models.weights.peer_files import load_teacher
from utils.commandline.srf_option import read_srf
from utils.output.result_folder import TABLES, ResultFolder, listed
from utils.training.logs import Logs
from utils.training.run_folder import data_of

READERS = {
    "array": (ArrayFile, ".h5"),
    "matlab": (ArrayFile, ".mat"),
    "pansharpening": (PanCollection, ".h5"),
    "npy": (read_npy, ".npy"),
    "cube of a .npy": (Cubes, ".npy"),
    "cube of a .tif": (Cubes, ".tif"),
    "cube of a .mat": (Cubes, ".mat"),
    "cube in a folder": (lambda p: Cubes(p.parent).raw_shape(0), ".npy"),
    "picture": (read_raster, ".png"),
    "picture of a .tif": (read_raster, ".tif"),
    "scene": (Windows, ".tif"),
    "scene of a .npy": (Windows, ".npy"),
    "response": (read_srf, ".csv"),
    "response of a .npy": (read_srf, ".npy"),
    "response of a .mat": (read_srf, ".mat"),
    "weights": (load_pretrained, ".pth"),
    "teacher": (load_teacher, ".pth"),
}


@pytest.fixture(autouse=True)
def nothing_waits():
    def late(*_):
        raise AssertionError("waited for a pipe")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def pipe(path):
    os.mkfifo(path)


def to_a_pipe(path):
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def device(path):
    path.symlink_to("/dev/zero")


def unix_socket(path):
    here = os.open(path.parent, os.O_RDONLY)  # a socket's path may have a hundred characters
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{here}/{path.name}")
    os.close(here)


def folder(path):
    path.mkdir()


def circle(path):
    path.symlink_to(path.name)


KINDS = (pipe, to_a_pipe, device, unix_socket, folder, circle)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("reader", READERS)
def test_readers_do_not_open(reader, kind, tmp_path):
    read, suffix = READERS[reader]
    file = tmp_path / f"a{suffix}"
    kind(file)
    with pytest.raises(
        (DataError, CheckpointError), match=r"found (a pipe, socket|a folder|no such|no readable|no HDF5)"
    ):
        read(file)


@pytest.mark.parametrize("kind", KINDS[:4], ids=lambda kind: kind.__name__)
def test_pairs_with_one_among_them(kind, tmp_path):
    data = pairs(tmp_path / "set", "a")
    for folder_name in ("vi", "ir"):
        kind(data / folder_name / "b.png")
    with pytest.raises(DataError, match=r"b\.png: found a pipe, socket or device, expected an image"):
        list(PairedImages(data))


@pytest.mark.parametrize("kind", KINDS[:5], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", TABLES)
def test_tables_are_not_written_over_one(name, kind, tmp_path):
    (tmp_path / "out").mkdir()
    kind(tmp_path / "out" / name)
    there = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert listed(tmp_path / "out") == set()
    with (
        pytest.raises(OSError, match=f"{name}: found a (pipe, socket or device|folder), expected"),
        ResultFolder(tmp_path / "out"),
    ):
        pytest.fail("refused after the work")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == there


def test_an_image_is_not_written_over_one(tmp_path, capfd):
    data = pairs(tmp_path / "set", "a")
    (tmp_path / "out/fused").mkdir(parents=True)
    pipe(tmp_path / "out/fused/a.png")
    with pytest.raises(SystemExit) as stop:
        test_dcinn_ivf_tno.main(
            [str(o) for o in ("--data", data, "--output", tmp_path / "out", "--weights", "untrained", "--no-metrics")]
        )
    assert stop.value.code == 2
    assert "a.png: found a pipe, socket or device, expected another --output" in capfd.readouterr().err
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["fused"]


def test_an_earlier_list_of_any_size_is_not_read(tmp_path):
    with (tmp_path / "metrics.json").open("wb") as file:
        file.truncate(2**36)
    assert listed(tmp_path) == set()


@pytest.mark.parametrize("kind", KINDS[:5], ids=lambda kind: kind.__name__)
def test_logs_of_a_training(kind, tmp_path):
    kind(tmp_path / "train.csv")
    kind(tmp_path / "run.json") if kind is not to_a_pipe else (tmp_path / "run.json").symlink_to("pipe")
    assert data_of(tmp_path) is None
    with pytest.raises(DataError, match=r"train\.csv: found a (pipe|folder)"):
        Logs(tmp_path, ["loss"], {}, 1, 1)
