"""Keeps a whole training set in the device's memory, if it fits, so that no step waits for data."""

from collections.abc import Iterator

import torch
from torch import Tensor

from data.errors import DataError
from utils.commandline.terminal import say
from utils.distributed import rank, world

from .loader import Batches, collate

SHARE = 0.5  # share of the free memory that the set may take; the rest is for the training steps
AT_ONCE = 64  # samples that are sent to the device together


class ResidentBatches(Batches):
    """Batches whose samples are all in the device's memory; they are the same as those of `batches`, in the same order.

    Args:
        batches: batches of a set whose samples are the same in every epoch.
        device: the device to keep the samples on.

    Attributes:
        tensors: role ("gt", "guide", ...) -> its arrays of all samples, (samples, ...).
        names: names of all samples.
        bad: for each sample the unreadable ones that it replaces, see `Samples`.

    Raises:
        DataError: if none of the samples can be read.
    """

    def __init__(self, batches: Batches, device: torch.device) -> None:
        self.__dict__.update(batches.__dict__)
        self.tensors: dict[str, Tensor] = {}
        self.names: list[str] = []
        self.bad: list[list[tuple]] = []
        for first in range(0, len(self.samples), AT_ONCE):
            items = [self.samples[0, i] for i in range(first, min(first + AT_ONCE, len(self.samples)))]
            part = collate(items)
            if not part["names"]:
                raise DataError(*part["bad"][0])
            self.names += part["names"]
            self.bad += [item["bad"] for item in items]
            for role, value in part.items():
                if isinstance(value, Tensor):
                    if not first:
                        self.tensors[role] = value.new_empty((len(self.samples), *value.shape[1:]), device=device)
                    self.tensors[role][first : first + len(items)] = value
        self.device = device

    def epoch(self, epoch: int, first: int = 0) -> Iterator[dict]:
        """Yield this process's part of the batches of an epoch, from batch `first` on."""
        rows = [row[rank() :: world()] for row in self.order(epoch)[first:]]
        if not rows:
            return
        numbers = torch.tensor([int(i) for row in rows for i in row]).to(self.device)  # sent once per epoch
        for row, places in zip(rows, numbers.split([len(row) for row in rows]), strict=True):
            tensors = {role: value.index_select(0, places) for role, value in self.tensors.items()}
            yield {**tensors, "names": [self.names[i] for i in row], "bad": [b for i in row for b in self.bad[i]]}


def resident(batches: Batches, device: torch.device, free: int | None) -> Batches:
    """Return the batches as `ResidentBatches`; if that is not possible, print a note and return them unchanged.

    It is not possible for sets whose samples differ from epoch to epoch, and for sets that would take over half of the
    free memory.

    Args:
        batches: the batches of the training set.
        device: the device to keep the samples on.
        free: free bytes of the device's memory; None if unknown, and then any set counts as fitting.

    Raises:
        DataError: see `ResidentBatches`.
    """
    source = batches.samples.source
    if not is_fixed(source):
        say("note: --on-device: found samples that differ from epoch to epoch (crops), which are read as they come")
        return batches
    sample = batches.samples[0, 0]
    needed = sum(value.nbytes for value in sample.values() if hasattr(value, "nbytes")) * len(source)
    if free is not None and needed > SHARE * free:
        found = f"{needed / 1e9:.3g} GB of samples and {free / 1e9:.3g} GB of free memory"
        say(f"note: --on-device: found {found}, of which they may take half; they are read as they come")
        return batches
    return ResidentBatches(batches, device)


def is_fixed(source: object) -> bool:
    """Whether the samples of a set of `data.patches`, or of a part of one, are the same in every epoch."""
    inner = getattr(source, "source", None)  # for a part of a set, the whole set
    return is_fixed(inner) if inner is not None else bool(getattr(source, "fixed", False))


def free_memory(device: torch.device) -> int | None:
    """Return the free memory of a CUDA device in bytes; None for other devices."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else None
