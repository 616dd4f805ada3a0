"""What killed processes leave half written goes at the next run of the same kind; nothing else does."""

import os
import signal

import pytest

from data.files.atomic import whole_file, write_whole
from data.files.scratch import Scratch, fcntl, remove_abandoned
from utils.output.result_folder import ResultFolder

pytestmark = pytest.mark.skipif(fcntl is None, reason="folders cannot be locked here")


def killed(work):
    """Run `work` in a process that kills itself at its end."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def hidden(folder):
    return sorted(p.name for p in folder.iterdir() if p.name.startswith("."))


def foreign(folder, name):
    """Names as near to ours as others' may be."""
    names = [f".{name}.20240101", f".{name}.short.part", f".{name}.abcdefgh.part.old", f".x{name}.abcdefgh.part"]
    for other in names:
        (folder / other).mkdir()
    (folder / f".{name}.abcdefgh.part").write_text("a file")
    return sorted([*names, f".{name}.abcdefgh.part"])


def half_a_file(path):
    with whole_file(path) as file:
        file.write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_file_that_was_half_written(tmp_path):
    theirs = foreign(tmp_path, "a.csv")
    for _ in range(2):
        killed(lambda: half_a_file(tmp_path / "a.csv"))
        assert len(hidden(tmp_path)) == len(theirs) + 1
    write_whole(tmp_path / "a.csv", "whole")
    assert hidden(tmp_path) == theirs
    assert (tmp_path / "a.csv").read_text() == "whole"


def test_a_file_that_another_process_is_writing_stays(tmp_path):
    with whole_file(tmp_path / "a.csv") as file:
        write_whole(tmp_path / "a.csv", "other")
        file.write_text("first")
    assert (tmp_path / "a.csv").read_text() == "first"
    assert hidden(tmp_path) == []


def results(target, text, last=lambda: None):
    with ResultFolder(target) as folder:
        folder.write_text("deep/a", text)
        folder.write_text("b", text)
        last()


@pytest.mark.parametrize("there", [True, False])
def test_results_of_a_run_that_was_killed(there, tmp_path):
    """Inside the target where that was there, else beside it."""
    target = tmp_path / "out"
    if there:
        results(target, "first")
    killed(lambda: results(target, "second", lambda: os.kill(os.getpid(), signal.SIGKILL)))
    room = target if there else tmp_path
    (left,) = hidden(room)
    theirs = foreign(room, "out")
    if not there:
        target.mkdir()  # by somebody else, before the next run
    seen = []
    results(target, "third", lambda: seen.extend(hidden(room)))
    assert seen
    assert left not in seen, "gone before the work begins"
    assert hidden(room) == theirs
    assert (target / "deep/a").read_text() == (target / "b").read_text() == "third"


def test_a_run_that_was_killed_while_it_moved(tmp_path, monkeypatch):
    """What was there before it stays until a run has ended well."""
    target = tmp_path / "out"
    results(target, "first")
    monkeypatch.setattr("utils.output.result_folder.move_all", move_one_and_die)
    killed(lambda: results(target, "second"))
    monkeypatch.undo()
    (left,) = hidden(target)
    with pytest.raises(KeyboardInterrupt):
        results(target, "third", interrupted)
    assert (target / left / ".before/0").read_text() == "first"
    results(target, "fourth")
    assert hidden(target) == []
    assert (target / "b").read_text() == "fourth"


def interrupted():
    raise KeyboardInterrupt


def move_one_and_die(moves, scratch):
    file, goal = next(iter(moves.items()))
    os.link(goal, scratch / "0")
    file.replace(goal)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_folder_that_goes_before_it_is_held(tmp_path, monkeypatch):
    """Another process may look between the making and the locking."""
    real, taken = fcntl.flock, []

    def flock(handle, kind):
        if not taken:
            taken.append(handle)
            remove_abandoned(tmp_path, "out")
        real(handle, kind)

    monkeypatch.setattr(fcntl, "flock", flock)
    scratch = Scratch(tmp_path, "out")
    assert scratch.path.is_dir()
    assert hidden(tmp_path) == [scratch.path.name]
    scratch.let_go()


def test_where_folders_cannot_be_locked_nothing_goes(tmp_path, monkeypatch):
    killed(lambda: half_a_file(tmp_path / "a.csv"))

    def refuse(*_):
        raise OSError("not here")

    monkeypatch.setattr(fcntl, "flock", refuse)
    write_whole(tmp_path / "a.csv", "whole")
    assert len(hidden(tmp_path)) == 1


def test_names_as_long_as_files_have_them(tmp_path):
    name = "n" * 255
    write_whole(tmp_path / name, "whole")
    assert [p.name for p in tmp_path.iterdir()] == [name]
