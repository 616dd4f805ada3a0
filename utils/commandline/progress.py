"""Shows progress: a bar on a terminal, one line per minute without a terminal."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from tqdm import tqdm

from .last_words import is_first

EVERY = 60.0  # seconds from one line to the next, or from the start
_last = [float("-inf")]  # time at which this process printed the last line of any loop


def quiet(count: int) -> bool:
    """Whether to show no progress: for one item, without stderr, in processes after the first, and if CI is "true"."""
    nowhere = sys.stderr is None or sys.stderr.closed
    return count < 2 or not is_first() or nowhere or os.environ.get("CI") == "true"


def progress(
    items: Iterable | None = None, *, total: int, desc: str, unit: str, further: int = 0, **options: object
) -> "tqdm | Lines":
    """Return a loop's progress display on stderr: tqdm's bar, or `Lines` without a terminal; disabled if `quiet`.

    Args:
        items: the items of the loop; None if the loop calls `update` itself.
        total: number of items.
        desc: name of the work ("fusing").
        unit: name of one item ("pair").
        further: number of items in later loops of the same work; `Lines` then shows the time left for all loops, too.
        options: options of tqdm (leave, initial, disable).
    """
    off = bool(options.pop("disable", False)) or quiet(total)
    if off or sys.stderr.isatty():
        return tqdm(items, total=total, desc=desc, unit=unit, disable=off, **options)
    return Lines(items, total=total, desc=desc, unit=unit, further=further, initial=int(options.get("initial", 0)))


class Lines:
    """Progress as lines of a log, with the part of tqdm's interface that the loops here use.

    Args:
        items, total, desc, unit, further: see `progress`.
        initial: number of items that were done before.
        clock: function that returns the time in seconds.
    """

    def __init__(
        self,
        items: Iterable | None,
        *,
        total: int,
        desc: str,
        unit: str,
        further: int = 0,
        initial: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.items, self.total, self.desc, self.unit, self.further = items, total, desc, unit, further
        self.n, self.initial, self.clock, self.more = initial, initial, clock, ""
        self.start = clock()
        if self.start - _last[0] > EVERY:  # loops that follow each other share one minute
            _last[0] = self.start

    def __iter__(self) -> Iterator:
        for item in self.items or ():
            yield item
            self.update()

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def set_postfix(self, **values: object) -> None:
        """Set the values that are shown at the end of every line."""
        self.more = "".join(f", {name} {value}" for name, value in values.items())

    def update(self, count: int = 1) -> None:
        """Count further items as done, and print a line if the last one is a minute old."""
        self.n += count
        now = self.clock()
        if now - _last[0] >= EVERY:
            _last[0] = now
            with suppress(OSError, ValueError):  # stderr is a pipe that nobody reads any more
                print(self._line(now - self.start), file=sys.stderr, flush=True)

    def _line(self, seconds: float) -> str:
        each = seconds / max(self.n - self.initial, 1)
        left = f"about {duration(each * (self.total - self.n))} left"
        if self.further:
            left += f", {duration(each * (self.total - self.n + self.further))} of all"
        done = f"{self.n} of {self.total} {self.unit}{'es' if self.unit.endswith('ch') else 's'}"
        return f"{self.desc}: {done} ({100 * self.n // max(self.total, 1)}%), {left}{self.more}"


def duration(seconds: float) -> str:
    """Return a number of seconds as text: "40 s", "12 min" or "3 h 05 min"."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"
