"""Several processes on one training or test: started by torchrun, or one process where there is none."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

from .commandline.errors import UsageError
from .commandline.last_words import fails_first, launched

PATIENCE = timedelta(days=30)  # that a process waits for one with larger images


@contextmanager
def processes(device: torch.device, patience: timedelta | None = None) -> Iterator[torch.device]:
    """Join the process group that torchrun describes; gives this process its device.

    Args:
        device: of `pick_device`: NCCL on CUDA, gloo on CPU. Without torchrun's variables nothing is started.
        patience: how long the processes wait for each other; PyTorch's minutes by default.
    """
    if not launched():
        yield device
        return
    if "MASTER_ADDR" not in os.environ or "MASTER_PORT" not in os.environ:
        raise UsageError("WORLD_SIZE and RANK: found without MASTER_ADDR and MASTER_PORT, expected torchrun's four")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=patience)
    try:
        yield device
        wait()  # the first to finish would cut the others' connections
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
        raise UsageError("found another process ended, expected all of torchrun's to the end") from error


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


def anywhere(flag: bool, device: torch.device) -> bool:
    """Whether the flag is set in any process."""
    if not distributed.is_initialized():
        return flag
    tensor = torch.tensor(float(flag), device=device)
    distributed.all_reduce(tensor, op=distributed.ReduceOp.MAX)
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
