"""What a test prints at its end: few lines for one image, tables and the run's remarks for several.

Whatever tells of a danger to the result is printed; conversions of no danger are left out of the few lines. How metrics
are computed and what others have published is in the written tables, and printed on request (--verbose).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from data.files.remarks import Routine
from metrics import table_text
from metrics.table import Table
from utils.commandline.terminal import say

MOST_LINES = 10  # of one image, with everything
MOST_ROWS = 4


class Convention(str):
    """A remark that is true of every run: how something is computed."""

    __slots__ = ()


def add_verbose(parser: argparse.ArgumentParser) -> None:
    """The option of everything that prints tables."""
    parser.add_argument(
        "--verbose", action="store_true", help="print published rows and how metrics are computed, too (metrics.md)"
    )


def tell(
    tables: Sequence[Table],
    remarks: Sequence[str],
    last: Sequence[str],
    *,
    verbose: bool = False,
    few: bool = False,
    file: Path | None = None,
) -> None:
    """Print a test's result.

    Args:
        tables: with their remarks.
        remarks: what else there is to say.
        last: the closing lines.
        verbose: whole tables, with published rows and every remark.
        few: one image was fused: at most ten lines.
        file: where the whole tables are written.
    """
    if verbose:
        for table in tables:
            print(table_text.markdown(table))
        for line in (*remarks, *last):
            say(line)
        return
    every = list(dict.fromkeys([*(line for table in tables for line in table.remarks), *remarks]))
    own = [line for line in every if not isinstance(line, Convention)]
    doubts, routine = ([line for line in own if isinstance(line, Routine) is kind] for kind in (False, True))
    if few:
        grid = table_text.of_one_image(tables, MOST_ROWS) if tables else []
        hidden = len({name for table in tables for name in table.rows}) - MOST_ROWS
        pointer = _pointer([_count(hidden, "further row"), _count(len(routine), "conversion")], tables, file)
        least = MOST_LINES - len(grid) - len(last) - len(pointer)
        doubts, routine = at_most(doubts, least), []
    else:
        grid = [line for table in tables for line in (*table_text.own_rows(table), "")]
        pointer = _pointer([], tables, file)
    for line in grid:
        print(line)
    for line in (*doubts, *routine):
        say(f"* {line}" if tables else line)
    for line in (*pointer, *last):
        say(line)


def at_most(remarks: Sequence[str], count: int) -> list[str]:
    """All of the remarks in `count` lines: those that are too many share the last one."""
    if len(remarks) <= count:
        return list(remarks)
    return [*remarks[: count - 1], "; ".join(line.removesuffix(".") for line in remarks[count - 1 :])]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}" if number > 0 else ""


def _pointer(more: Sequence[str], tables: Sequence[Table], file: Path | None) -> list[str]:
    """A line that says where the rest is, where there is one."""
    parts = [part for part in more if part]
    parts += ["published rows, how metrics are computed"] if tables else []
    where = f"{file} or --verbose" if file else "--verbose"
    return [f"Not shown here: {', '.join(parts)} ({where})."] if parts else []
