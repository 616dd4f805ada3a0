"""When progress is shown."""

import os
import sys

from .last_words import is_first


def quiet(count: int) -> bool:
    """Whether a progress bar would only disturb: no terminal, a single image, a process beside the first."""
    nowhere = sys.stderr is None or sys.stderr.closed or not sys.stderr.isatty()
    return count < 2 or not is_first() or nowhere or os.environ.get("CI") == "true"
