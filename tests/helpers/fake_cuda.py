"""A CUDA device that needs none: shapes, types and devices of every operation as on a GPU, no numbers.

PyTorch's fake tensors refuse an operation of a CPU tensor with one on CUDA, as CUDA does. Beside that, `Traffic` says
what crosses between the two, and refuses results that stay on the CPU. Autograd's engine needs a real device for its
threads: `without_backward` stands in for it, and the backward pass runs on the meta device instead.
"""

from collections import Counter
from contextlib import contextmanager

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

CUDA = torch.device("cuda")
READ = "aten._local_scalar_dense.default"  # .item(), float(), bool() of a tensor
SIZED_BY_VALUES = ("aten.nonzero", "aten.masked_select", "aten._unique", "aten.unique", "aten.equal")


class StrayError(AssertionError):
    """A tensor that is on the CPU."""


class Traffic(TorchDispatchMode):
    """Counts, inside a with block, what a CUDA device is waited for; entered after `FakeTensorMode`.

    Args:
        strays: whether tensors may stay on the CPU, as where tiles are put together. Single numbers always may.

    Attributes:
        operations: name -> how often.
        reads: numbers and tensors that the CPU asked the device for; it waits until the device is there.
        uploads: tensors that were sent from pageable memory; it waits, too.
    """

    def __init__(self, strays=False):
        super().__init__()
        self.strays, self.operations, self.reads, self.uploads = strays, Counter(), [], []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name, kwargs = str(function), kwargs or {}
        self.operations[name] += 1
        inside = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        on_cuda = any(t.device.type == "cuda" for t in inside)
        if name == READ:
            self.reads += [name] if on_cuda else []
            return answer(inside[0])
        if on_cuda and name.startswith(SIZED_BY_VALUES):
            self.reads.append(name)
        result = function(*args, **kwargs)
        made = [t for t in tree_leaves(result) if isinstance(t, Tensor)]
        if on_cuda and any(t.device.type == "cpu" for t in made):
            self.reads.append(f"{name} of {tuple(made[0].shape)}")
            return result
        sent = any(t.ndim and t.device.type == "cpu" for t in inside) and any(t.device.type == "cuda" for t in made)
        if sent and not kwargs.get("non_blocking"):
            self.uploads.append(f"{name} of {tuple(made[0].shape)}")
        stray = [t for t in made if t.device.type == "cpu" and t.ndim and isinstance(t, FakeTensor)]
        if stray and not self.strays and name != "aten.detach.default":
            raise StrayError(f"{name}: found {tuple(stray[0].shape)} on the CPU, expected it on the device")
        return result


def answer(tensor):
    """What a number that is read would be: 1, as finite losses and started layers are not zero."""
    return {torch.bool: True}.get(tensor.dtype, 1.0 if tensor.is_floating_point() else 1)


@contextmanager
def fake_cuda():
    """Inside, tensors are fake, and `.to(CUDA)` finds a device; mixed precision works there, too.

    The device is not the default one: a tensor made without a device is on the CPU, as in a training.
    """
    patched = [
        (torch.cuda.amp.common, "amp_definitely_not_available", lambda: False),
        (torch.cuda, "is_bf16_supported", lambda *_, **__: True),
    ]
    kept = [getattr(place, name) for place, name, _ in patched]
    for place, name, stand_in in patched:
        setattr(place, name, stand_in)
    try:
        with FakeTensorMode(allow_non_fake_inputs=True):
            yield
    finally:
        for (place, name, _), own in zip(patched, kept, strict=True):
            setattr(place, name, own)


def without_backward(monkeypatch, model):
    """Let `.backward()` fill every gradient with ones: what comes before and after it runs as on a GPU."""

    def backward(loss, *_, **__):
        assert loss.device.type == "cuda"
        assert loss.requires_grad
        assert not loss.ndim
        for weight in model.parameters():
            if weight.requires_grad:
                weight.grad = torch.ones_like(weight)

    monkeypatch.setattr(Tensor, "backward", backward)
