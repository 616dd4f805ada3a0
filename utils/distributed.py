"""Several processes on one training or test: started by torchrun, or one process where there is none."""

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

PATIENCE = timedelta(days=30)  # that a process waits for one with larger images
MEETING = timedelta(minutes=5)  # for the other processes to start
FOUR = "torchrun's four, RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT"
_flags: list[distributed.ProcessGroup] = []  # where the backend is of GPUs: the group of what the CPUs tell each other
_done: list[bool] = []  # filled when this process has met the others for the last time, without an error


@atexit.register
def _end() -> None:
    """Leave without the interpreter's own end: gloo's threads abort now and then when they outlive it."""
    if _done and not has_failed() and getattr(sys, "last_value", None) is None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(0)


@contextmanager
def processes(device: torch.device, patience: timedelta | None = None) -> Iterator[torch.device]:
    """Join the process group that torchrun describes; gives this process its device.

    Args:
        device: of `pick_device`: NCCL on CUDA, gloo on CPU. Without torchrun's variables nothing is started.
        patience: how long the processes wait for each other after the start; PyTorch's minutes by default.

    Raises:
        UsageError: for variables that do not describe a process group, and processes that do not come within `MEETING`.
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
        wait()  # the first to finish would cut the others' connections
        _done.append(True)
    except BaseException:
        fails_first()  # asked before the others feel that this one leaves
        raise
    finally:
        distributed.destroy_process_group()


@contextmanager
def together() -> Iterator[None]:
    """Join as `processes` that share images out: over gloo, as what they exchange are objects, with all patience."""
    with processes(torch.device("cpu"), PATIENCE):
        yield


def _described() -> tuple[int, int] | None:
    """This process's number and how many there are, by the variables of torchrun; None for one alone."""
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
    """Meet the other processes. Only the meeting is short of time: later ones wait for a validation, say."""
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
    """OSError where nobody listens there within `MEETING`: PyTorch would print pages of its own about it."""
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
    """Number of processes."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def rank() -> int:
    """This process's number, 0 being the one that writes."""
    return distributed.get_rank() if distributed.is_initialized() else 0


@contextmanager
def _meeting() -> Iterator[None]:
    """One line where another process is gone that this one waits for."""
    try:
        yield
    except RuntimeError as error:
        raise UsageError(f"found {ENDED}") from error


def wait() -> None:
    """Until every process is here."""
    if distributed.is_initialized():
        with _meeting():
            distributed.barrier()


def from_first(value: object) -> object:
    """The first process's value, in every process."""
    if not distributed.is_initialized():
        return value
    box = [value]
    with _meeting():
        distributed.broadcast_object_list(box, src=0)
    return box[0]


def at_first(value: object) -> list:
    """The values of all processes in their order, in the first one; an empty list in the others."""
    if not distributed.is_initialized():
        return [value]
    values = [None] * world() if rank() == 0 else None
    with _meeting():
        distributed.gather_object(value, values, dst=0)
    return values or []


def shared(module: nn.Module, device: torch.device, unused: bool = False) -> nn.Module:
    """The module with its gradients averaged over the processes, where there are several.

    Args:
        module, device: what is trained, and where.
        unused: whether there may be parameters that a step gives no gradient.
    """
    if world() == 1:
        return module
    ids = [device.index] if device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(module, device_ids=ids, find_unused_parameters=unused)


def added(values: Tensor) -> Tensor:
    """The sum over the processes, without a gradient."""
    values = values.detach().clone()
    if distributed.is_initialized():
        with _meeting():
            distributed.all_reduce(values)
    return values


def mean(values: Tensor) -> Tensor:
    """The mean over the processes, without a gradient."""
    return added(values) / world()


def anywhere(flag: bool) -> bool:
    """Whether the flag is set in any process; no GPU is waited for."""
    if not distributed.is_initialized():
        return flag
    tensor = torch.tensor(float(flag))
    distributed.all_reduce(tensor, op=distributed.ReduceOp.MAX, group=_flags[0] if _flags else None)
    return bool(tensor)


def total(count: int, device: torch.device) -> int:
    """The sum over the processes."""
    return int(added(torch.tensor(count, device=device)))


def norm_over_processes(difference: Tensor) -> Tensor:
    """The L2 norm of a tensor whose parts all processes hold; its gradient is zero where it is zero.

    The gradient is made for DistributedDataParallel, which averages gradients over the processes: the average is that
    of one process with all the data.
    """
    if not distributed.is_initialized():
        return torch.linalg.vector_norm(difference)
    squares = difference.square().sum()
    norm = torch.sqrt(added(squares))
    share = squares / (2 * norm.clamp_min(torch.finfo(norm.dtype).tiny)) * world()
    return norm + share - share.detach()
