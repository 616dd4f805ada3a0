"""Batches in an order that depends only on seed and epoch, not on workers, processes, or where a run was resumed."""

import signal
from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from data.errors import DataError
from utils.distributed import rank, world


class Samples(Dataset):
    """A set of `data.patches` as a dataset of PyTorch; the key of an item is (epoch, index).

    A sample that cannot be read is reported in the item's "bad" list as (where, found, expected), and the next readable
    one takes its place. So a worker never raises, and all processes have batches of one size.
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
    """Ignore Ctrl-C in a loader process, because the training process ends it; SIGTERM ends it as usual."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def collate(items: list[dict]) -> dict:
    """Return a batch: arrays as tensors (B, ...), "names" and "bad" as lists; no arrays if one sample has none."""
    bad = [parts for item in items for parts in item["bad"]]
    if any(set(item) == {"bad", "name"} for item in items):
        return {"bad": bad, "names": []}
    roles = [key for key in items[0] if key not in ("bad", "name")]
    tensors = {role: torch.from_numpy(np.stack([item[role] for item in items])) for role in roles}
    return {**tensors, "names": [item["name"] for item in items], "bad": bad}


class Batches:
    """The batches of an epoch; each process gets its part of every batch.

    Args:
        source: a set of `data.patches`.
        batch: samples per batch, of all processes together; at most the size of the set is used.
        seed: random seed of the order and of random crops.
        workers: number of loader processes; 0 reads in the training process.
        pin: use page-locked memory, for CUDA.
        short_last: use an incomplete last batch, too.

    Raises:
        ValueError: if the processes cannot share a batch evenly.
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
        """Return the indices of the samples of every batch, of all processes."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.samples))
        ends = range(self.batch, len(order) + 1, self.batch)
        batches = [order[end - self.batch : end] for end in ends]
        return [*batches, order[len(batches) * self.batch :][: self.last]] if self.last else batches

    def epoch(self, epoch: int, first: int = 0) -> Iterator[dict]:
        """Yield this process's part of the batches of an epoch, from batch `first` on."""
        mine = [[(epoch, int(i)) for i in row[rank() :: world()]] for row in self.order(epoch)[first:]]
        generator = torch.Generator().manual_seed(self.seed)  # keeps the loader from using the global generator
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
        """Return the whole first batch, with the samples of all processes."""
        return collate([self.samples[0, int(i)] for i in self.order(0)[0]])
