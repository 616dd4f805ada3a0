"""Handling of Ctrl-C (SIGINT), and of SIGTERM, by which a scheduler ends a job."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def ended_by_signal() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C inside the block, so that half-written files are removed."""
    if threading.current_thread() is not threading.main_thread():  # Python delivers signals to the main thread only
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def asked_to_stop(handler: Callable[..., None]) -> Iterator[None]:
    """Call `handler` for Ctrl-C and SIGTERM inside the block, instead of ending the program."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def deafen() -> dict:
    """Ignore Ctrl-C and SIGTERM from now on; returns the earlier handlers, signal -> handler."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}


@contextmanager
def deaf() -> Iterator[None]:
    """Ignore Ctrl-C and SIGTERM inside the block."""
    before = deafen()
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
