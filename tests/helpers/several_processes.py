"""Commands run by torchrun's processes in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "CI": "true"}


def command(arguments, several):
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={several}"] if several > 1 else []
    return [sys.executable, *launcher, *map(str, arguments)]


def run(arguments, several):
    """Of a finished command: its exit code, output, and the lines of errors that are not torchrun's."""
    options = {"cwd": ROOT, "env": ENVIRONMENT, "capture_output": True, "text": True, "timeout": 500}
    done = subprocess.run(command(arguments, several), check=False, **options)
    return done.returncode, done.stdout, own_lines(arguments, done.stderr)


def own_lines(arguments, text):
    program = "python -m metrics" if arguments[0] == "-m" else str(arguments[0])
    return [line for line in text.splitlines() if line.startswith(f"{program}:")]
