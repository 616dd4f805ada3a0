"""Runs a command with a time limit and a log. At the limit it gets SIGINT (Ctrl-C), and if it does not end, SIGKILL."""

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GRACE = 60.0  # seconds from SIGINT to SIGKILL, for the last step and checkpoint of a training


def ran(command: list[object], log: Path, seconds: float, grace: float = GRACE) -> int | None:
    """Run a script of this repository with this Python.

    Args:
        command: the script, relative to the repository, and its options.
        log: the file to append its output to.
        seconds: time after which it gets SIGINT.
        grace: seconds after SIGINT until it is killed.

    Returns:
        The exit code; None if the command was stopped.
    """
    with log.open("ab") as out:
        out.write(f"$ python {' '.join(map(str, command))}\n".encode())
        out.flush()
        line = [sys.executable, *map(str, command)]
        process = subprocess.Popen(
            line,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_ends_with_its_parent,  # noqa: PLW1509  this script starts no threads
        )
        try:
            return process.wait(max(seconds, 1.0))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(grace)
            return None
        finally:  # also for Ctrl-C in gpu.py
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _ends_with_its_parent() -> None:
    """End the command when gpu.py is killed (Linux only; elsewhere the command may run to its end)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def last_line(log: Path) -> str:
    """Return the last line of a log, up to 200 characters, for a message; "nothing" if it is empty."""
    lines = [line.strip() for line in log.read_text(errors="replace").replace("\r", "\n").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "nothing"
