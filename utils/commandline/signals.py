"""Ctrl-C and the signal by which a scheduler ends a job."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def ended_by_signal() -> Iterator[None]:
    """A scheduler's signal is as Ctrl-C: what was half written is removed."""
    if threading.current_thread() is not threading.main_thread():  # Python gives signals to that one only
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def asked_to_stop(handler: Callable[..., None]) -> Iterator[None]:
    """Ctrl-C and the signal of a scheduler that ends a job call `handler` instead of ending the program."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def deafen() -> dict:
    """Hear neither Ctrl-C nor a scheduler's signal from now on; gives what was done at them before."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}


@contextmanager
def deaf() -> Iterator[None]:
    """Ctrl-C and a scheduler's signal are not heard meanwhile."""
    before = deafen()
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
