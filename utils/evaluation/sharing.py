"""Distributes the images of a test over torchrun's processes, and collects the results in the first one.

Process r of n takes the images r, r + n, ... Every image has its own tables, which are joined in the order of the
images. So several processes produce the same tables as one, and one process is not a special case.
"""

import functools
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path

from metrics.table import Table
from utils import processes
from utils.commandline.progress import progress
from utils.output.guest_folder import GuestFolder
from utils.output.result_folder import ResultFolder


def by_all_processes(main: Callable) -> Callable:
    """Return a command's main for all of torchrun's processes: the first prints, and all return its result."""

    @functools.wraps(main)
    def wrapped(argv: list[str] | None = None) -> object:
        with processes.joined(), ExitStack() as stack:
            if processes.rank():
                stack.enter_context(redirect_stdout(stack.enter_context(Path(os.devnull).open("w"))))
            return processes.from_first(main(argv))

    return wrapped


def mine(count: int) -> range:
    """Return the indices of this process's images."""
    return range(processes.rank(), count, processes.world())


@contextmanager
def result_folder(target: Path, inputs: Iterable[Path] = ()) -> Iterator[ResultFolder]:
    """A `ResultFolder` that all processes write to; the first process writes the tables and moves all results in place.

    Args:
        target: the folder of the results.
        inputs: files that the results must not replace.
    """
    if processes.rank() == 0:
        with ResultFolder(target, inputs) as folder:
            processes.from_first((folder.staging, folder.made))
            yield folder
    else:
        with GuestFolder(target, *processes.from_first(None)) as folder:
            yield folder


class Shares:
    """A loop over the indices of this process's images; after it, the first process has the results of all processes.

    Args:
        count: number of images.
        tables: the tables to fill; after the loop those of the first process have all images.
        description, unit: texts of the progress bar.
        sums: Counters to add up over the processes.

    Attributes:
        tables: the tables of the current image.
        found: key -> values that `keep` collected, in the order of the images; in the first process, after the loop.
    """

    def __init__(
        self, count: int, tables: Sequence[Table], description: str, unit: str, sums: Sequence[Counter] = ()
    ) -> None:
        self.count, self.whole, self.sums = count, tables, sums
        self.shown = {"desc": description, "unit": unit}
        self.found: dict[str, list] = defaultdict(list)

    def keep(self, key: str, value: object) -> None:
        """Collect a value of the current image under a key of `found`."""
        self._kept.append((key, value))

    def __iter__(self) -> Iterator[int]:
        if processes.rank():  # earlier counts are those of the first process
            for counter in self.sums:
                counter.clear()
        images = mine(self.count)
        done = {}
        for index in progress(images, total=len(images), **self.shown):
            self.tables, self._kept = [table.without_images() for table in self.whole], []
            yield index
            done[index] = self.tables, self._kept
        self._put_together(processes.at_first((done, self.sums)))

    def _put_together(self, parts: list[tuple[dict, Sequence[Counter]]]) -> None:
        for _, sums in parts[1:]:
            for counter, more in zip(self.sums, sums, strict=True):
                counter.update(more)
        for _, (tables, kept) in sorted((item for done, _ in parts for item in done.items()), key=lambda item: item[0]):
            for table, more in zip(self.whole, tables, strict=True):
                table.extend(more)
            for key, value in kept:
                self.found[key].append(value)
