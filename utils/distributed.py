"""Several processes for one training or test, started by torchrun; without torchrun there is one process."""

import atexit
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

from .commandline.device import whole_variable
from .commandline.errors import ENDED, UsageError
from .commandline.last_words import fails_first, has_failed

PATIENCE = timedelta(days=30)  # how long a process waits for others with larger images
MEETING = timedelta(minutes=5)  # how long a process waits for the others to start
FOUR = "torchrun's four, RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT"
_flags: list[distributed.ProcessGroup] = []  # with a GPU backend: the group of the CPUs, for flags
_done: list[bool] = []  # not empty once all processes have finished without an error


@atexit.register
def _end() -> None:
    """Exit without the interpreter's own shutdown, which gloo's threads may outlive and then abort."""
    if _done and not has_failed() and getattr(sys, "last_value", None) is None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(0)


@contextmanager
def processes(device: torch.device, patience: timedelta | None = None) -> Iterator[torch.device]:
    """Join the process group that torchrun's variables describe, inside the block; the context's value is `device`.

    Without these variables nothing is started.

    Args:
        device: the device of `pick_device`; the backend is NCCL for CUDA and gloo for the CPU.
        patience: how long the processes wait for each other after the start; by default PyTorch's minutes.

    Raises:
        UsageError: for variables that do not describe a process group, processes that do not start within `MEETING`,
            and processes that end early.
    """
    described = _described()
    if described is None:
        yield device
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    _join("nccl" if device.type == "cuda" else "gloo", *described, patience)
    try:
        yield device
        wait()  # the first to finish would break the others' connections
        _done.append(True)
    except BaseException:
        fails_first()  # decided before the others notice that this one ends
        raise
    finally:
        distributed.destroy_process_group()


@contextmanager
def together() -> Iterator[None]:
    """Join processes that share images inside the block: over gloo, as they exchange objects, and with `PATIENCE`."""
    with processes(torch.device("cpu"), PATIENCE):
        yield


def _described() -> tuple[int, int] | None:
    """Return (rank, number of processes) from torchrun's variables; None for a single process."""
    found = {name: os.environ[name] for name in ("RANK", "WORLD_SIZE") if os.environ.get(name)}
    if not found:
        return None
    if len(found) == 1:
        if found in ({"WORLD_SIZE": "1"}, {"RANK": "0"}):
            return None
        (name,) = found
        raise UsageError(
            f"{name}: found without {'WORLD_SIZE' if name == 'RANK' else 'RANK'}, expected {FOUR}, or none"
        )
    size = whole_variable("WORLD_SIZE", 1, 2**16)
    rank = whole_variable("RANK", 0, size - 1)
    if size == 1:
        return None
    if not os.environ.get("MASTER_ADDR") or not os.environ.get("MASTER_PORT"):
        raise UsageError(f"WORLD_SIZE and RANK: found without MASTER_ADDR and MASTER_PORT, expected {FOUR}")
    whole_variable("MASTER_PORT", 1, 2**16 - 1)
    return rank, size


def _join(backend: str, rank: int, size: int, patience: timedelta | None) -> None:
    """Meet the other processes. Only this has a short timeout: later waits may last as long as a validation."""
    try:
        if rank > 0:
            _wait_for_first(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
        store, rank, size = next(distributed.rendezvous("env://", rank, size, timeout=MEETING))
        distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=patience)
        _flags[:] = [distributed.new_group(backend="gloo", timeout=patience)] if backend != "gloo" else []
    except (RuntimeError, ValueError, OSError) as error:
        where = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        if "EADDRINUSE" in str(error) or "already in use" in str(error):
            found = f"{where}: found a port that is in use, expected a free MASTER_PORT, and RANK 0 once"
        else:
            waited = f"{MEETING.total_seconds():g} s (this one is RANK {rank})"
            expected = f"each of RANK 0 to {size - 1} started once, with the same variables"
            found = f"{where}: found not all {size} processes after {waited}, expected {expected}"
        raise UsageError(found) from None


def _wait_for_first(host: str, port: int) -> None:
    """Raise OSError if nobody listens there within `MEETING`; PyTorch itself would print pages of messages."""
    end = time.monotonic() + MEETING.total_seconds()
    while True:
        try:
            socket.create_connection((host, port), timeout=max(end - time.monotonic(), 0.1)).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def world() -> int:
    """Return the number of processes."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """Return this process's number; 0 is the one that writes."""
    return distributed.get_rank() if distributed.is_initialized() else 0


@contextmanager
def _meeting() -> Iterator[None]:
    """Raise UsageError, with one line, if a process that this one waits for has ended."""
    try:
        yield
    except RuntimeError as error:
        raise UsageError(f"found {ENDED}") from error


def wait() -> None:
    """Wait until every process has called this."""
    if distributed.is_initialized():
        with _meeting():
            distributed.barrier()


def from_first(value: object) -> object:
    """Return the first process's value in every process."""
    if not distributed.is_initialized():
        return value
    box = [value]
    with _meeting():
        distributed.broadcast_object_list(box, src=0)
    return box[0]


def at_first(value: object) -> list:
    """Return the values of all processes, in their order, in the first one; an empty list in the others."""
    if not distributed.is_initialized():
        return [value]
    values = [None] * world() if rank() == 0 else None
    with _meeting():
        distributed.gather_object(value, values, dst=0)
    return values or []


def shared(module: nn.Module, device: torch.device, unused: bool = False) -> nn.Module:
    """Return the module, wrapped to average its gradients over the processes if there are several.

    Args:
        module: the module to train.
        device: its device.
        unused: whether some steps leave parameters without a gradient.
    """
    if world() == 1:
        return module
    ids = [device.index] if device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(module, device_ids=ids, find_unused_parameters=unused)


def added(values: Tensor) -> Tensor:
    """Return the sum of a tensor over the processes, without a gradient."""
    values = values.detach().clone()
    if distributed.is_initialized():
        with _meeting():
            distributed.all_reduce(values)
    return values


def mean(values: Tensor) -> Tensor:
    """Return the mean of a tensor over the processes, without a gradient."""
    return added(values) / world()


def anywhere(flag: bool) -> bool:
    """Whether the flag is set in any process; no GPU is waited for."""
    if not distributed.is_initialized():
        return flag
    tensor = torch.tensor(float(flag))
    distributed.all_reduce(tensor, op=distributed.ReduceOp.MAX, group=_flags[0] if _flags else None)
    return bool(tensor)


def total(count: int, device: torch.device) -> int:
    """Return the sum of a number over the processes."""
    return int(added(torch.tensor(count, device=device)))


def norm_over_processes(difference: Tensor) -> Tensor:
    """Return the L2 norm of a tensor that is divided over the processes, a scalar; a norm of zero has a zero gradient.

    The gradient is scaled for DistributedDataParallel, which averages over the processes: the average equals the
    gradient of one process with all the data.
    """
    if not distributed.is_initialized():
        return torch.linalg.vector_norm(difference)
    squares = difference.square().sum()
    norm = torch.sqrt(added(squares))
    share = squares / (2 * norm.clamp_min(torch.finfo(norm.dtype).tiny)) * world()
    return norm + share - share.detach()
