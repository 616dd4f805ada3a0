"""Decides whether progress bars are shown."""

import os
import sys

from .last_words import is_first


def quiet(count: int) -> bool:
    """Whether to show no progress bar: without a terminal, in CI, for one item, and in processes after the first."""
    nowhere = sys.stderr is None or sys.stderr.closed or not sys.stderr.isatty()
    return count < 2 or not is_first() or nowhere or os.environ.get("CI") == "true"
