"""Batches in an order that depends on seed and epoch alone: not on workers, processes, or where a run was resumed."""

import signal
from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from data.errors import DataError
from utils.distributed import rank, world


class Samples(Dataset):
    """A training set of `data.patches` for PyTorch's loader; items are asked for as (epoch, index).

    A sample that cannot be read is reported in the batch's "bad" list (where, found, expected), and replaced by the
    next one that can: so a worker never raises, and all processes keep batches of one size.
    """

    def __init__(self, source: object, seed: int) -> None:
        self.source, self.seed = source, seed

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, key: tuple[int, int]) -> dict:
        epoch, index = key
        bad = []
        for step in range(len(self)):
            at = (index + step) % len(self)
            try:
                item = self.source.sample(at, np.random.default_rng((self.seed, epoch, at)))
            except DataError as error:
                bad.append(error.parts)
                continue
            except OSError as error:
                bad.append((str(error.filename or "a sample"), error.strerror or str(error), "a file that can be read"))
                continue
            return {**item, "bad": bad}
        return {"bad": bad, "name": ""}


def _leave_signals(number: int) -> None:
    """In a loader process: Ctrl-C is for the training process, which ends this one; a kill is a kill."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def collate(items: list[dict]) -> dict:
    """Arrays stacked to tensors, names and bad samples in lists."""
    bad = [parts for item in items for parts in item["bad"]]
    if any(set(item) == {"bad", "name"} for item in items):
        return {"bad": bad, "names": []}
    roles = [key for key in items[0] if key not in ("bad", "name")]
    tensors = {role: torch.from_numpy(np.stack([item[role] for item in items])) for role in roles}
    return {**tensors, "names": [item["name"] for item in items], "bad": bad}


class Batches:
    """The batches of an epoch, this process's part of each.

    Args:
        source: a set of `data.patches`.
        batch: of all processes together. A set smaller than it gives one batch of all it has.
        seed: of the order and of random crops.
        workers: loader processes; 0 reads in this one.
        pin: page-locked memory, for CUDA.
        short_last: whether an incomplete last batch is used, too.

    Raises:
        ValueError: where the processes cannot share a batch evenly.
    """

    def __init__(
        self, source: object, batch: int, seed: int, workers: int = 0, pin: bool = False, short_last: bool = False
    ) -> None:
        self.samples, self.seed, self.workers, self.pin = Samples(source, seed), seed, workers, pin
        self.batch = min(batch, len(source))
        if self.batch < 1 or self.batch % world():
            found = f"a batch of {self.batch} ({len(source)} samples) and {world()} processes"
            raise ValueError(f"found {found}, expected a batch that they share evenly")
        self.last = len(source) % self.batch // world() * world() if short_last else 0

    def __len__(self) -> int:
        return len(self.samples) // self.batch + bool(self.last)

    def order(self, epoch: int) -> list[np.ndarray]:
        """The samples of every batch."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.samples))
        ends = range(self.batch, len(order) + 1, self.batch)
        batches = [order[end - self.batch : end] for end in ends]
        return [*batches, order[len(batches) * self.batch :][: self.last]] if self.last else batches

    def epoch(self, epoch: int, first: int = 0) -> Iterator[dict]:
        """The batches of an epoch from number `first` on."""
        mine = [[(epoch, int(i)) for i in row[rank() :: world()]] for row in self.order(epoch)[first:]]
        generator = torch.Generator().manual_seed(self.seed)  # the loader's own draw; the global one stays untouched
        yield from DataLoader(
            self.samples,
            batch_sampler=mine,
            num_workers=self.workers,
            collate_fn=collate,
            pin_memory=self.pin,
            generator=generator,
            worker_init_fn=_leave_signals if self.workers else None,
        )

    def first_batch(self) -> dict:
        """The whole first batch, of all processes."""
        return collate([self.samples[0, int(i)] for i in self.order(0)[0]])
