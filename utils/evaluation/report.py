"""Prints the result of a test: at most ten lines for one image, tables and remarks for several images.

Remarks on anything that may impair the result are always printed; harmless conversions are left out of the ten lines.
Published rows, and remarks on how metrics are computed, are in the written tables and printed with --verbose.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from data.files.remarks import Routine
from metrics import table_text
from metrics.table import Table
from utils.commandline.terminal import say

MOST_LINES = 10  # largest number of lines for one image
MOST_ROWS = 4  # largest number of table rows among them


class Convention(str):
    """A remark that holds for every run: how something is computed."""

    __slots__ = ()


def add_verbose(parser: argparse.ArgumentParser) -> None:
    """Add the option --verbose."""
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="also print published rows and how metrics are computed, as in metrics.md",
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
    """Print the result of a test.

    Args:
        tables: the tables, with their remarks.
        remarks: further remarks.
        last: the closing lines.
        verbose: whether to print whole tables, with published rows and every remark.
        few: whether to print ten lines at most, for one image.
        file: path of the file with the whole tables, which the output names; None if there is no such file.
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
    """Return the remarks in at most `count` lines; the last line joins the remarks from there on by semicolons."""
    if len(remarks) <= count:
        return list(remarks)
    return [*remarks[: count - 1], "; ".join(line.removesuffix(".") for line in remarks[count - 1 :])]


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number > 1 else ''}" if number > 0 else ""


def _pointer(more: Sequence[str], tables: Sequence[Table], file: Path | None) -> list[str]:
    """Return one line that names what was left out and where to find it; no line if nothing was left out."""
    parts = [part for part in more if part]
    parts += ["published rows, how metrics are computed"] if tables else []
    where = f"{file} or --verbose" if file else "--verbose"
    return [f"Not shown here: {', '.join(parts)} ({where})."] if parts else []
