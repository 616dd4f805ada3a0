"""Threads for functions that release Python's global lock, as calls into a C library do."""

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

_lock = threading.Lock()
_pools: dict[int, ThreadPoolExecutor] = {}  # workers -> pool; an idle pool costs next to nothing


def in_threads(calls: Sequence[Callable[[], None]]) -> None:
    """Run all calls at the same time, the first call in this thread. Once all have ended, raise the first error."""
    if len(calls) == 1:
        calls[0]()
        return
    with _lock:
        workers = len(calls) - 1
        pool = _pools.get(workers) or _pools.setdefault(workers, ThreadPoolExecutor(workers, "dcinn"))
        others = [pool.submit(call) for call in calls[1:]]
    try:
        calls[0]()
    finally:
        for other in others:
            other.exception()  # waits
    for other in others:
        other.result()


def _forked() -> None:
    """Forget the pools in a forked child, which has none of its parent's threads."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()
    _pools.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
