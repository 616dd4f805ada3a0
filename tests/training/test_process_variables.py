"""Processes that are started by hand, with variables that do not describe them or without the others: one line."""

import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import torch
from small_trainings import refused

from utils import distributed
from utils.commandline.errors import UsageError, single_line_errors

NAMES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(distributed, "MEETING", timedelta(seconds=2))


def described(monkeypatch, **values):
    for name, value in values.items():
        monkeypatch.setenv(name, str(value))


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


HERE = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"WORLD_SIZE": 2}, "WORLD_SIZE: found without RANK, expected torchrun's four, RANK, WORLD_SIZE, MASTER_ADDR"),
        ({"RANK": 1}, "RANK: found without WORLD_SIZE, expected torchrun's four"),
        ({"RANK": 1, "WORLD_SIZE": ""}, "RANK: found without WORLD_SIZE"),
        ({"RANK": 0, "WORLD_SIZE": 2}, "found without MASTER_ADDR and MASTER_PORT"),
        ({"RANK": 0, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1"}, "found without MASTER_ADDR and MASTER_PORT"),
        ({"RANK": "one", "WORLD_SIZE": 2, **HERE}, "RANK: found 'one', expected a whole number from 0 to 1"),
        ({"RANK": 2, "WORLD_SIZE": 2, **HERE}, "RANK: found '2', expected a whole number from 0 to 1"),
        ({"RANK": -1, "WORLD_SIZE": 2, **HERE}, "RANK: found '-1', expected a whole number from 0 to 1"),
        ({"RANK": 1, "WORLD_SIZE": 1, **HERE}, "RANK: found '1', expected a whole number from 0 to 0"),
        ({"RANK": 0, "WORLD_SIZE": "2.0", **HERE}, "WORLD_SIZE: found '2.0', expected a whole number from 1 to"),
        ({"RANK": 0, "WORLD_SIZE": 0, **HERE}, "WORLD_SIZE: found '0', expected a whole number from 1 to"),
        ({"RANK": 0, "WORLD_SIZE": 2, **HERE, "MASTER_PORT": "x"}, "MASTER_PORT: found 'x', expected a whole number"),
        ({"RANK": 0, "WORLD_SIZE": 2, **HERE, "MASTER_PORT": 70000}, "MASTER_PORT: found '70000', expected"),
    ],
)
def test_variables_that_describe_nothing(values, words, tmp_path, monkeypatch, capsys):
    described(monkeypatch, **values)
    assert words in refused("ivf_tno", tmp_path, capsys)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("values", [{}, {"WORLD_SIZE": 1}, {"RANK": 0}, {"RANK": 0, "WORLD_SIZE": 1}])
def test_one_process_alone(values, monkeypatch):
    described(monkeypatch, **values)
    with distributed.processes(torch.device("cpu")):
        assert (distributed.rank(), distributed.world()) == (0, 1)
        assert not torch.distributed.is_initialized()


@pytest.mark.parametrize("rank", [0, 1])
def test_the_other_process_does_not_come(rank, tmp_path, monkeypatch, capfd):
    port = free_port()
    described(monkeypatch, RANK=rank, WORLD_SIZE=2, MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    with pytest.raises(UsageError) as found, distributed.processes(torch.device("cpu")):
        pass
    expected = "expected each of RANK 0 to 1 started once, with the same variables"
    assert f"127.0.0.1:{port}: found not all 2 processes after 2 s (this one is RANK {rank}), {expected}" in str(
        found.value
    )
    assert capfd.readouterr() == ("", ""), "PyTorch's own lines"


def test_a_port_that_is_in_use(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        described(monkeypatch, RANK=0, WORLD_SIZE=2, MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
        words = f"127.0.0.1:{port}: found a port that is in use, expected a free"
        with pytest.raises(UsageError, match=words), distributed.processes(torch.device("cpu")):
            pass


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[../third_party/gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:1234"),
        torch.distributed.DistNetworkError("recvValue failed"),
    ],
)
def test_a_process_that_ends_while_others_wait(error, capsys):
    def main(_):
        raise error

    with pytest.raises(SystemExit) as stop:
        single_line_errors(main)([])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "another process of this training ended, or does not answer; see what it printed" in said
    assert said.count("\n") == 1


def test_two_processes_by_hand(monkeypatch):
    """They meet, and the first one's values are everywhere."""
    port, found = free_port(), []
    monkeypatch.setattr(distributed, "MEETING", timedelta(seconds=60))
    children = []
    for rank in (0, 1):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                described(monkeypatch, RANK=rank, WORLD_SIZE=2, MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
                with distributed.processes(torch.device("cpu")):
                    found.append(distributed.from_first(f"of {rank}"))
                code = 0 if found == ["of 0"] else 3
            finally:
                os._exit(code)
        children.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0]


@pytest.mark.parametrize(
    ("last", "code"),
    [("", 0), ("raise ValueError('ours')", 1), ("fails_first(); raise SystemExit(2)", 2)],
)
def test_the_exit_code_of_a_process_that_met_the_others_is_that_of_its_end(last, code):
    said = "import utils.distributed as d; from utils.commandline.last_words import fails_first; d._done.append(True)"
    environment = {**os.environ, "RANK": "0", "WORLD_SIZE": "2"}
    done = subprocess.run(
        [sys.executable, "-c", f"{said}; print('printed', end=''); {last}"],
        cwd=Path(__file__).resolve().parents[2],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (code, "printed"), done.stderr
