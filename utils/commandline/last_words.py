"""Decides which of torchrun's processes prints the error: the first one that fails, and no other."""

import functools
import os
import time
from datetime import timedelta

from .signals import deafen

HEAD_START = 1.0  # seconds by which the others wait, so that the failing process ends first and torchrun ends them


def launched() -> bool:
    """Whether torchrun has started this process as one of several."""
    return "RANK" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1"


def is_first() -> bool:
    """Whether this process shows progress and prints: the only process, or number 0 of torchrun's."""
    return not launched() or os.environ["RANK"] == "0"


def fails_first() -> bool:
    """Whether this process, which is about to end with an error, should print it.

    One of several processes ignores Ctrl-C and SIGTERM from now on.
    """
    return not launched() or _claimed()


def has_failed() -> bool:
    """Whether this process, one of several, has called `fails_first`, because it ends with an error."""
    return bool(_claimed.cache_info().currsize)


@functools.cache
def _claimed() -> bool:
    deafen()  # torchrun repeats Ctrl-C, and ends all after one
    from torch.distributed import TCPStore  # noqa: PLC0415  metrics alone need no PyTorch

    try:
        place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        store = TCPStore(*place, is_master=False, wait_for_workers=False, timeout=timedelta(seconds=5))
        first = store.add(f"failed/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", 1) == 1
    except (LookupError, ValueError, RuntimeError):  # the first process does not answer
        return True
    if not first:
        time.sleep(HEAD_START)
    return first
