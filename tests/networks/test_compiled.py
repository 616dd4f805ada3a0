"""The C source is compiled once, by any number of processes, quietly; without a compiler everything works as well."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.fast import compiled, winograd

ROOT = Path(__file__).resolve().parents[2]
compiles = pytest.mark.skipif(not compiled.vectors(), reason="no C compiler here")

CHILD = """
import os, sys, torch
from models.fast import series as way, winograd, winograd_base, compiled
x, k = torch.ones(1, 16, 24, 24) / 3, torch.full((16, 16, 5, 5), 0.002)
winograd_base.LEAST_WORK = 1
torch.get_num_threads = lambda: 3
assert (winograd.routines_for(16) is not None) == (sys.argv[1] == "compiled"), "the wrong way"
expected = way.horner(x, k, 10)
assert (way.series(x, k, 10) - expected).abs().max() < 1e-5 * expected.abs().max()
if sys.argv[1] == "compiled" and hasattr(os, "fork"):
    pid = os.fork()
    if not pid:
        os._exit(0 if (way.series(x, k, 10) - expected).abs().max() < 1e-5 * expected.abs().max() else 1)
    assert os.waitpid(pid, 0)[1] == 0, "the forked process"
"""


def child(way, **environment):
    """A process of its own, which must say nothing."""
    command = [sys.executable, "-c", CHILD, way]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def assert_silent(*children):
    for process in children:
        said, _ = process.communicate(timeout=300)
        assert (process.returncode, said) == (0, "")


@compiles
@pytest.mark.slow
def test_processes_compile_at_once_and_fork(tmp_path):
    assert_silent(*(child("compiled", XDG_CACHE_HOME=str(tmp_path)) for _ in range(3)))
    (made,) = (tmp_path / "dcinn").iterdir()
    before = made.stat().st_mtime_ns
    assert_silent(child("compiled", XDG_CACHE_HOME=str(tmp_path)))
    assert made.stat().st_mtime_ns == before, "compiled once"


@compiles
def test_a_cache_that_cannot_be_used(tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert_silent(child("compiled", XDG_CACHE_HOME=str(tmp_path / "file")))
    loaded = compiled.loaded.__wrapped__
    folder = tmp_path / "dcinn"
    folder.mkdir()
    os.environ["XDG_CACHE_HOME"], before = str(tmp_path), os.environ.get("XDG_CACHE_HOME")
    try:
        assert loaded(winograd.SOURCE, "VEC=4") is not None
        (made,) = folder.iterdir()
        made.unlink()
        made.write_bytes(b"cut off")
        assert loaded(winograd.SOURCE, "VEC=4") is not None
        assert loaded(winograd.SOURCE, "VEC=broken") is None
    finally:
        os.environ.pop("XDG_CACHE_HOME")
        if before is not None:
            os.environ["XDG_CACHE_HOME"] = before


@compiles
def test_a_changed_header_is_compiled_anew(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "answer.c"
    source.write_text('#include "answer.h"\nint answer(void) { return ANSWER; }\n')
    for answer in (41, 42):
        (tmp_path / "answer.h").write_text(f"#define ANSWER {answer}\n")
        assert compiled.loaded.__wrapped__(source).answer() == answer


@pytest.mark.parametrize("environment", [{"DCINN_COMPILE": "0"}, {"PATH": "/nowhere", "CC": ""}])
def test_without_a_compiler(environment, tmp_path):
    assert_silent(child("plain", XDG_CACHE_HOME=str(tmp_path), **environment))
    assert not list(tmp_path.iterdir())


@compiles
def test_a_compiler_that_fails_or_miscompiles(tmp_path):
    failing = tmp_path / "cc"
    failing.write_text('#!/bin/sh\ncase "$*" in *-dM*) exec cc "$@";; esac\necho broken >&2\nexit 1\n')
    failing.chmod(0o755)
    wrong = tmp_path / "wrong"
    wrong.write_text('#!/bin/sh\nexec cc "$@" -include ' + str(tmp_path / "wrong.h") + "\n")
    wrong.chmod(0o755)
    (tmp_path / "wrong.h").write_text("#define memcpy(to, from, size) ((void)0)\n#define _STRING_H 1\n")
    for command in (failing, wrong):
        assert_silent(child("plain", XDG_CACHE_HOME=str(tmp_path / "cache"), CC=str(command)))
