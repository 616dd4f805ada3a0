"""Commands in a process of their own, forked from one that has imported them and computed nothing.

A test process has computed: its autograd may have threads of devices (tests/cuda_ready), its convolutions threads of
OpenMP, and PyTorch refuses the first and waits for ever for the second in a process forked from it.
"""

import importlib
import io
import multiprocessing
import os
import sys

from utils.commandline.errors import single_line_errors

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["forked_commands", "test_dcinn_ps", "train_dcinn_ps", "utils.evaluation.score"])
FAILED = 70  # the exit code after an exception
FULL = "/dev/full"


def close(*numbers):
    """As `2>&-` in a shell: Python finds no file there and has no stream."""
    for number in numbers:
        os.close(number)
        setattr(sys, ("stdin", "stdout", "stderr")[number], None)


def onto(file, *numbers):
    """The interpreter's own streams, on a file."""
    for number in numbers:
        os.dup2(file, number)
        stream = io.TextIOWrapper(io.BufferedWriter(io.FileIO(number, "w", closefd=False)), "utf-8")
        setattr(sys, ("stdin", "stdout", "stderr")[number], stream)


def left(*numbers):
    """A pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    onto(writer, *numbers)


WAYS = {
    "no stderr": lambda: close(2),
    "no stdout": lambda: close(1),
    "none of the three": lambda: close(0, 1, 2),
    "a full disk": lambda: onto(os.open(FULL, os.O_WRONLY), 1, 2),
    "readers that left": lambda: left(1, 2),
}


def code(way, command, options):
    """The exit code of a command, "module" or "module:function", its streams changed; FAILED for an exception."""
    process = CONTEXT.Process(target=_run, args=(way, command, [str(o) for o in options]))
    process.start()
    process.join()
    return process.exitcode


def _run(way, command, options):
    name, _, function = command.partition(":")
    main = single_line_errors(getattr(importlib.import_module(name), function or "main"))
    found = FAILED
    try:
        WAYS[way]()
        main(options)
        for number in range(3):  # none is left for the next file that is opened
            os.fstat(number)
        sys.stdout.flush()
        sys.stderr.flush()
        found = 0
    except SystemExit as end:
        found = end.code
    finally:
        os._exit(found)
