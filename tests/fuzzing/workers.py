"""Readers in a process of their own, which may die, hang or eat memory without taking the caller along."""

import logging
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

GIB = 2**30
MEMORY = 3 * GIB  # that a process may take beside what it has when it starts
MOST_TAKEN = GIB  # that reading a file of some kilobytes may take
MOST_FILE = GIB
LONGEST = 1200  # characters of a message
NETWORKS = ("response", "weights", "peer", "training", "bomb")  # the readers that import PyTorch
READY = 600.0  # seconds to start
ASLEEP = 20  # times the limit, in which a process that waits for nothing should have had its processor time


class Verdict(NamedTuple):
    """What became of an input: "read", "refused" or "failed", and why."""

    kind: str
    why: str


def _status(name: str) -> int:
    """A number of bytes from Linux's account of this process."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_FILE, MOST_FILE))
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + MEMORY,) * 2)


def _judged(reader: str, path: Path, noise: Path, mark: Path) -> Verdict:
    from .readers import READERS, clear

    there = _temporary()
    os.truncate(noise, 0)
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            READERS[reader](path)
        found = Verdict("read", "")
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        text = " ".join(str(error).split())[:200]
        found = Verdict("failed", f"{type(error).__name__}: {text} ({Path(place.filename).name}:{place.lineno})")
        if isinstance(error, clear()):
            found = _clear(str(error), path)
    taken = _status("VmHWM") - before
    left = sorted(_temporary() - there)
    for problem, is_so in (
        (f"code in the file was run ({found.why})", mark.exists()),
        (f"{taken / GIB:.1f} GiB of memory taken ({found.why})", taken > MOST_TAKEN),
        (f"files left: {left}", left),
        (f"noise: {noise.read_text(errors='replace')[:200]!r}", noise.stat().st_size),
    ):
        if is_so and found.kind != "failed":
            found = Verdict("failed", problem)
    mark.unlink(missing_ok=True)
    return found


def _temporary() -> set[str]:
    """What is in the folder of temporary files, but for PyTorch's own folder."""
    return {p.name for p in Path(tempfile.gettempdir()).iterdir() if not p.name.startswith("torchinductor")}


def _clear(message: str, path: Path) -> Verdict:
    """Whether a message is one line that names the file."""
    if len(message.splitlines()) != 1 or not message.isprintable():
        return Verdict("failed", f"more than a line: {message[:200]!r}")
    if len(message) > LONGEST:
        return Verdict("failed", f"a message of {len(message)} characters: {message[:200]}")
    if str(path) not in message:
        return Verdict("failed", f"a message without the file: {message[:200]}")
    return Verdict("refused", message)


def serve(calls: Connection, scratch: Path, mark: Path, networks: bool) -> None:
    """The worker: judges (reader, path) until the caller has gone; `networks` where PyTorch is needed."""
    noise = scratch / "noise"
    handle = os.open(noise, os.O_CREAT | os.O_RDWR | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    tempfile.tempdir = str(scratch / "temporary")
    os.environ["TMPDIR"] = tempfile.tempdir
    import cv2

    from . import readers

    if networks:
        readers.load_networks()
    for library in ("tifffile", "PIL"):
        logging.getLogger(library).setLevel(logging.CRITICAL)  # as `utils.commandline.errors`
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    _limit()
    calls.send(None)
    while True:
        try:
            reader, path = calls.recv()
        except EOFError:
            return
        verdict = _judged(reader, path, noise, mark)
        sys.stdout.flush()
        calls.send(verdict)


class Worker:
    """One process at a time, started again where the last one ended.

    Args:
        scratch: a folder of its own.
        mark: see `kinds.Kind`.
        seconds: of processor time that one reader may take for one input.
    """

    def __init__(self, scratch: Path, mark: Path, seconds: float = 20.0) -> None:
        self.scratch, self.mark, self.seconds = scratch, mark, seconds
        self.process: multiprocessing.process.BaseProcess | None = None
        self.started, self.networks = 0, False

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, which may clean up after itself."""
        if self.process is not None:
            self.calls.close()
            self.process.join(10)
            self._end()

    def judge(self, reader: str, path: Path) -> Verdict:
        """What a reader does with a file."""
        if reader in NETWORKS and not self.networks:
            self.networks = True
            self.close()
        if self.process is None:
            self._start()
        self.calls.send((reader, path))
        used, end = self._used(), time.monotonic() + ASLEEP * self.seconds
        try:
            while self._used() - used < self.seconds and time.monotonic() < end:
                if self.calls.poll(1.0):
                    return self.calls.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            code = self.process.exitcode
            self._end()
            return Verdict("failed", f"the process ended: {'signal' if code < 0 else 'exit code'} {abs(code)}")
        self._end()
        return Verdict("failed", f"no end after {self.seconds:g} s")

    def _start(self) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)
        (self.scratch / "temporary").mkdir(parents=True)
        context = multiprocessing.get_context("spawn")
        self.calls, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, self.scratch, self.mark, self.networks), daemon=True)
        self.process.start()
        theirs.close()
        self.started += 1
        if not self.calls.poll(READY):
            raise TimeoutError("the worker did not start")
        self.calls.recv()

    def _used(self) -> float:
        """Seconds of processor time that the process has had."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.calls.close()
            self.process = None
