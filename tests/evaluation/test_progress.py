"""A bar on a terminal, a line a minute in a log, nothing where it would disturb."""

import io
import sys

import pytest
from outputs import pairs
from small_trainings import train

import test_dcinn_ivf_tno
from utils.commandline import progress as module
from utils.commandline.progress import EVERY, Lines, duration, progress
from utils.evaluation import score


class Clock:
    """Seconds that pass by being asked."""

    def __init__(self, step):
        self.now, self.step = 1e6, step

    def __call__(self):
        self.now += self.step
        return self.now


@pytest.fixture(autouse=True)
def log(monkeypatch):
    """A process that writes to a file, outside CI, that has said nothing yet."""
    monkeypatch.setenv("CI", "false")
    monkeypatch.setattr(module, "_last", [float("-inf")])


def test_a_line_a_minute_with_the_time_left(capsys):
    bar = Lines(range(30), total=30, desc="fusing", unit="pair", clock=Clock(10))
    assert list(bar) == list(range(30)), "the items themselves"
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "fusing: 6 of 30 pairs (20%), about 4 min left"
    assert lines[-1] == "fusing: 30 of 30 pairs (100%), about 0 s left"
    assert len(lines) == 5


def test_loops_that_follow_each_other_share_their_minute(capsys):
    clock = Clock(10)
    for epoch in range(20):
        bar = Lines(range(2), total=2, desc=f"epoch {epoch}", unit="batch", further=2 * (19 - epoch), clock=clock)
        for _ in bar:
            bar.set_postfix(loss="0.5")
    lines = capsys.readouterr().err.splitlines()
    assert 6 <= len(lines) <= 20 * 30 / EVERY
    assert lines[0] == "epoch 2: 1 of 2 batches (50%), about 10 s left, 6 min of all, loss 0.5"


def test_what_was_done_before_does_not_count_as_fast(capsys):
    bar = Lines(None, total=100, initial=90, desc="epoch 1/2", unit="batch", clock=Clock(70))
    bar.update(1)
    assert "91 of 100 batches (91%), about 10 min left" in capsys.readouterr().err


def test_durations():
    expected = ["0 s", "89 s", "2 min", "118 min", "2 h 00 min", "3 h 05 min"]
    assert [duration(seconds) for seconds in (0, 89, 90, 7100, 7200, 11100)] == expected


@pytest.mark.parametrize("case", ["ci", "one", "closed", "none", "beside"])
def test_nothing_where_it_would_disturb(case, monkeypatch):
    stream = io.StringIO()
    if case == "closed":
        stream.close()
    monkeypatch.setattr(sys, "stderr", None if case == "none" else stream)
    if case == "ci":
        monkeypatch.setenv("CI", "true")
    if case == "beside":
        monkeypatch.setenv("RANK", "1")
        monkeypatch.setenv("WORLD_SIZE", "2")
    count = 1 if case == "one" else 9
    monkeypatch.setattr(module, "EVERY", 0.0)
    assert list(progress(range(count), total=count, desc="fusing", unit="pair")) == list(range(count))
    if case not in ("closed", "none"):
        assert stream.getvalue() == ""


def test_a_terminal_has_its_bar(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    assert not isinstance(progress(range(9), total=9, desc="fusing", unit="pair"), Lines)


def test_a_reader_that_left_does_not_end_the_work(monkeypatch):
    class Left(io.StringIO):
        def write(self, _):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Left())
    assert sum(1 for _ in Lines(range(9), total=9, desc="d", unit="pair", clock=Clock(99))) == 9


def test_tests_metrics_and_trainings_say_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(module, "EVERY", 0.0)
    folder = pairs(tmp_path / "set")
    test_dcinn_ivf_tno.main(["--data", str(folder), "--weights", "untrained", "--output", str(tmp_path / "out")])
    said = capsys.readouterr().err
    assert "reading: 1 of 2 pairs (50%), about " in said
    assert "fusing: 2 of 2 pairs (100%), about 0 s left" in said
    score.run(["--task", "ivf", "--data", str(folder), "--fused", str(folder / "vi")])
    assert "scoring: 1 of 2 pairs (50%)" in capsys.readouterr().err
    train("ivf_tno", tmp_path / "run", epochs=2)
    said = capsys.readouterr().err
    assert "epoch 1/2: 1 of" in said
    assert "of all, loss " in said
