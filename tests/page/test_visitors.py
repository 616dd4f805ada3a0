"""Visitors, limits and zips: what the page takes, and what stays of whom."""

import zipfile

import cv2
import numpy as np
import pytest
import scipy.io
import tifffile
from PIL import Image

from data.errors import DataError
from data.files import size_limits
from data.files.array_file import ArrayFile
from utils.page import limits, visitors, zipped
from utils.page.visitors import LeftError, Visitors


def test_who_leaves_is_stopped_and_leaves_nothing(tmp_path):
    found = Visitors(tmp_path)
    one, two = found.of("one"), found.of("two")
    assert found.of("one") is one
    (one.fresh("pair") / "fused.png").write_text("1")
    (two.fresh("pair") / "fused.png").write_text("2")
    shared, own = tmp_path / "hash1/both.png", tmp_path / "hash2/own.png"
    for path in (shared, own):
        path.parent.mkdir()
        path.write_text("upload")
    one.uploads |= {shared, own}
    two.uploads.add(shared)
    found.leave("one")
    assert one.gone.is_set()
    assert not one.folder.exists()
    assert not own.exists()
    assert shared.exists(), "the other one gave the same file"
    assert two.folder.exists()
    with pytest.raises(LeftError):
        found.of("one")
    with pytest.raises(LeftError):
        one.fresh("pair")
    found.end()
    assert two.gone.is_set()
    assert not list(tmp_path.rglob("*.png"))


def test_results_replace_earlier_ones(tmp_path):
    visitor = Visitors(tmp_path).of("one")
    first, second = visitor.fresh("pair"), visitor.fresh("pair")
    visitor.replace("pair", first)
    visitor.replace("pair", second, table="t")
    assert not first.exists()
    assert second.exists()
    assert visitor.kept["pair"]["table"] == "t"


def test_who_is_silent_for_long_and_broken_off_uploads_go(tmp_path, monkeypatch):
    found = Visitors(tmp_path)
    silent = found.of("silent")
    silent.fresh("pair")
    (tmp_path / "tmpabc").write_text("half an upload")
    monkeypatch.setattr(visitors, "IDLE", -1.0)
    monkeypatch.setattr(visitors, "STALE", -1.0)
    found.of("other")
    assert silent.gone.is_set()
    assert not silent.folder.exists()
    assert not (tmp_path / "tmpabc").exists()


def test_pixels_are_counted_before_they_are_unpacked(tmp_path, monkeypatch):
    Image.new("L", (3000, 2000)).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((2000, 3000, 3), np.uint8), compression="zlib", photometric="rgb")
    monkeypatch.setattr(Image.Image, "load", None)
    for name in ("a.png", "a.tif"):
        with pytest.raises(DataError, match=r"found \d{4}x\d{4} pixels, expected at most 2 million pixels, the page's"):
            limits.check_pixels(tmp_path / name)
    (tmp_path / "b.png").write_text("no image")
    limits.check_pixels(tmp_path / "b.png")  # the reader says it better


def test_bytes(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"0" * 2**21)
    limits.check_bytes(tmp_path / "a.png")
    monkeypatch.setattr(limits, "MOST_BYTES", 2**20)
    with pytest.raises(DataError, match="found 2 MB, expected at most 1 MB, the page's limit"):
        limits.check_bytes(tmp_path / "a.png")


def test_what_unpacks_to_more_than_the_page_takes(tmp_path, monkeypatch):
    scipy.io.savemat(tmp_path / "a.mat", {"pan": np.zeros((400, 400))}, do_compression=True)
    assert ArrayFile(tmp_path / "a.mat").read("pan").shape == (400, 400)
    monkeypatch.setattr(size_limits, "ceiling", 10**6)
    with pytest.raises(DataError, match="the limit set here"):
        ArrayFile(tmp_path / "a.mat")


def packed(path, names):
    image = cv2.imencode(".png", np.zeros((4, 4), np.uint16))[1].tobytes()
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, image)
    return path


@pytest.mark.parametrize(
    ("inside", "root"),
    [
        ("balloons_ms/balloons_ms/balloons_ms_01.png", "."),
        ("balloons_ms/balloons_ms_01.png", "."),
        ("cave/balloons_ms/balloons_ms/balloons_ms_01.png", "cave"),
        ("balloons_ms_01.png", "."),
    ],
)
def test_a_zip_is_unpacked_to_what_the_reader_takes(inside, root, tmp_path):
    (tmp_path / "to").mkdir()
    found = zipped.unpack(packed(tmp_path / "balloons_ms.zip", [inside]), tmp_path / "to")
    assert found == (tmp_path / "to" / root)
    assert len(list(found.glob("balloons_ms/**/balloons_ms_01.png"))) == 1


def test_a_zip_stays_inside_its_folder(tmp_path):
    (tmp_path / "to").mkdir()
    names = ["../out.png", "/tmp/out.png", "a/../../out.png", "a\\..\\out.png", "__MACOSX/a/._1.png", "a/run.sh"]
    with pytest.raises(DataError, match="found no images"):
        zipped.unpack(packed(tmp_path / "a.zip", names), tmp_path / "to")
    assert [p.name for p in tmp_path.iterdir()] in (["a.zip", "to"], ["to", "a.zip"])


def test_a_zip_that_is_none_or_too_much(tmp_path, monkeypatch):
    (tmp_path / "to").mkdir()
    (tmp_path / "a.zip").write_text("no zip")
    with pytest.raises(DataError, match="no readable zip"):
        zipped.unpack(tmp_path / "a.zip", tmp_path / "to")
    packed(tmp_path / "b.zip", ["a/1.png", "a/2.png"])
    monkeypatch.setattr(zipped, "MOST_FILES", 1)
    with pytest.raises(DataError, match="found 2 images, expected at most 1"):
        zipped.unpack(tmp_path / "b.zip", tmp_path / "to")
    monkeypatch.setattr(zipped, "MOST_FILES", 9)
    monkeypatch.setattr(zipped, "MOST_UNPACKED", 10)
    with pytest.raises(DataError, match="unpacked, expected at most"):
        zipped.unpack(tmp_path / "b.zip", tmp_path / "to")
    assert not list((tmp_path / "to").iterdir())
