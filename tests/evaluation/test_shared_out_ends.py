"""What is left when one of torchrun's processes ends before the others: nothing, and one line."""

import signal
import subprocess
import time

import pytest
from outputs import pairs
from several_processes import ENVIRONMENT, ROOT, command, own_lines, run

from utils.commandline.errors import UsageError
from utils.output.guest_folder import GuestFolder
from utils.output.result_folder import ResultFolder


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["option", "weights", "first", "second", "both"])
def test_one_line_says_what_is_wrong(wrong, tmp_path):
    data = pairs(tmp_path / "set", *"abcd")
    for name in {"first": "a", "second": "b", "both": "ab"}.get(wrong, ""):
        (data / f"ir/{name}.png").write_bytes(b"none")
    options = {"option": ["--tile", "7"], "weights": ["--weights", "nowhere.pth"]}.get(wrong, ["--weights", "ivf_tno"])
    arguments = ["test_dcinn_ivf_tno.py", "--data", data, "--output", tmp_path / "new/out", *options]
    code, said, errors = run(arguments, 2)
    assert code != 0
    assert len(errors) == 1, errors
    assert "ended" not in errors[0]
    assert "results in" not in said
    assert [p.name for p in tmp_path.iterdir()] == ["set"]


def test_a_guest_cleans_up_after_an_owner_that_is_gone_and_only_then(tmp_path):
    target = tmp_path / "new/out"
    owner = ResultFolder(target).__enter__()
    guest = GuestFolder(target, owner.staging, owner.made)
    guest.path("fused/a.png").write_bytes(b"a")
    with pytest.raises(ValueError, match="bad"), guest:
        raise ValueError("bad")
    assert (owner.staging / "fused/a.png").is_file()
    owner._scratch.let_go()  # as a killed process does
    with pytest.raises(ValueError, match="bad"), guest:
        raise ValueError("bad")
    assert not list(tmp_path.iterdir())


def test_a_guest_whose_owner_has_cleaned_up_says_that_it_ended(tmp_path):
    owner = ResultFolder(tmp_path / "out").__enter__()
    guest = GuestFolder(tmp_path / "out", owner.staging, owner.made)
    owner.__exit__(ValueError, ValueError("bad"), None)
    with pytest.raises(UsageError, match="another process ended"):
        guest.__exit__(FileNotFoundError, FileNotFoundError(2, "no such file"), None)


def test_a_guest_on_a_machine_without_the_disk(tmp_path):
    with pytest.raises(NotADirectoryError, match="all machines"), GuestFolder(tmp_path, tmp_path / ".no", []):
        pass


SIGNAL_TO_ONE = """
import os, signal, sys, time
from pathlib import Path
import test_dcinn_ivf_tno
from utils import processes
from utils.commandline.errors import UsageError
from utils.evaluation import infrared_visible

number, victim = int(sys.argv[1]), int(sys.argv[2])
original = infrared_visible.write_stored

def write(path, *more):
    original(path, *more)
    here, rank = Path(sys.argv[0]).parent, processes.rank()
    (here / f"rank{rank}").touch()
    if rank == victim and path.stem in "cd":
        while not (here / f"rank{1 - rank}").exists():  # it has begun, too, and so can say that it ends
            time.sleep(0.05)
        os.kill(os.getpid(), number)

infrared_visible.write_stored = write
test_dcinn_ivf_tno.main(sys.argv[3:])
"""


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_one_process_ends_all(number, victim, tmp_path):
    data, script = pairs(tmp_path / "set", *"abcdefgh"), tmp_path / "one.py"
    script.write_text(SIGNAL_TO_ONE)
    arguments = [script, int(number), victim, "--data", data, "--output", tmp_path / "out", "--weights", "untrained"]
    started = time.monotonic()
    done = subprocess.run(
        command(arguments, 2), cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode != 0
    lines = own_lines(["test_dcinn_ivf_tno.py"], done.stderr)
    assert len(lines) == 1, done.stderr
    assert "interrupted" in lines[0] or "another process ended" in lines[0]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.py", "rank0", "rank1", "set"]
    assert time.monotonic() - started < 200  # far below the patience of the processes
