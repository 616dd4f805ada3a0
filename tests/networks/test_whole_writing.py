"""A checkpoint is on the disk before it takes its name: a power cut leaves the old one or the new one."""

import os
from pathlib import Path

import pytest

from models.weights.atomic import write_whole


@pytest.fixture
def order(monkeypatch):
    """What is done to which file, in its order."""
    done = []
    fsync, replace = os.fsync, Path.replace

    def recorded_fsync(handle):
        done.append(("fsync", os.fstat(handle).st_ino, os.fstat(handle).st_size))
        fsync(handle)

    def recorded_replace(self, goal):
        done.append(("replace", self.stat().st_ino, self.stat().st_size))
        return replace(self, goal)

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    monkeypatch.setattr(Path, "replace", recorded_replace)
    return done


@pytest.mark.parametrize("size", [10, 100_000])
def test_the_whole_content_is_synchronised_before_the_renaming(size, order, tmp_path):
    (tmp_path / "w.pth").write_bytes(b"old")
    content = bytes(size)
    write_whole(tmp_path / "w.pth", content)
    assert [step[0] for step in order] == ["fsync", "replace"]
    assert order[0][1:] == order[1][1:]
    assert order[0][2] == len(content), "all of it, not what is still in Python's buffer"
    assert (tmp_path / "w.pth").read_bytes() == content


def test_what_cannot_be_synchronised_replaces_nothing(tmp_path, monkeypatch):
    (tmp_path / "w.pth").write_bytes(b"old")

    def fail(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output error") as error:
        write_whole(tmp_path / "w.pth", b"new")
    assert error.value.filename == str(tmp_path / "w.pth")
    assert [p.name for p in tmp_path.iterdir()] == ["w.pth"]
    assert (tmp_path / "w.pth").read_bytes() == b"old"
