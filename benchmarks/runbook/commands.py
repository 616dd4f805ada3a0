"""A command with a time limit: asked to stop first, as by Ctrl-C, then killed; its output in a log."""

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GRACE = 60.0  # seconds that a training has for its last step and checkpoint


def ran(command: list[object], log: Path, seconds: float, grace: float = GRACE) -> int | None:
    """Run a script of the checkout by this Python.

    Args:
        command: the script and its options.
        log: a file that its output is added to.
        seconds: after which it is asked to stop.
        grace: seconds that it then has.

    Returns:
        Its exit code; None where it was stopped.
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
        finally:  # Ctrl-C for this script, too
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _ends_with_its_parent() -> None:
    """A runbook that is killed leaves no training behind (Linux; elsewhere it may go on to its end)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def last_line(log: Path) -> str:
    """What a command said last, for a message."""
    lines = [line.strip() for line in log.read_text(errors="replace").replace("\r", "\n").splitlines() if line.strip()]
    return lines[-1][:200] if lines else "nothing"
