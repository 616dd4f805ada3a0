"""The images of a test shared out over torchrun's processes, and what they found put together in the first one.

Process r of n takes the images r, r + n, ...; each image has tables of its own, which are put together in the order of
the images: so the tables of several processes are those of one, and one process is no other case than several.
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
    """Wrap a command's main: torchrun's processes join, the first one prints, all return what that one does."""

    @functools.wraps(main)
    def wrapped(argv: list[str] | None = None) -> object:
        with processes.joined(), ExitStack() as stack:
            if processes.rank():
                stack.enter_context(redirect_stdout(stack.enter_context(Path(os.devnull).open("w"))))
            return processes.from_first(main(argv))

    return wrapped


def mine(count: int) -> range:
    """The images of this process."""
    return range(processes.rank(), count, processes.world())


@contextmanager
def result_folder(target: Path, inputs: Iterable[Path] = ()) -> Iterator[ResultFolder]:
    """A `ResultFolder` that all processes write to; the first one moves the results and writes the tables."""
    if processes.rank() == 0:
        with ResultFolder(target, inputs) as folder:
            processes.from_first((folder.staging, folder.made))
            yield folder
    else:
        with GuestFolder(target, *processes.from_first(None)) as folder:
            yield folder


class Shares:
    """A loop over this process's images; at its end the first process has what all of them found.

    Args:
        count: how many images there are.
        tables: of the first process these have all images after the loop.
        description, unit: of the progress bar.
        sums: Counters that are added up over the processes.

    Attributes:
        tables: of the image at hand.
        found: key -> what was kept under it, in the order of the images; in the first process, after the loop.
    """

    def __init__(
        self, count: int, tables: Sequence[Table], description: str, unit: str, sums: Sequence[Counter] = ()
    ) -> None:
        self.count, self.whole, self.sums = count, tables, sums
        self.shown = {"desc": description, "unit": unit}
        self.found: dict[str, list] = defaultdict(list)

    def keep(self, key: str, value: object) -> None:
        """Keep something of the image at hand, for `found`."""
        self._kept.append((key, value))

    def __iter__(self) -> Iterator[int]:
        if processes.rank():  # what was counted before is counted by the first
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
