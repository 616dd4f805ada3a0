"""When progress is shown."""

import os
import sys

from .last_words import is_first


def quiet(count: int) -> bool:
    """Whether a progress bar would only disturb: no terminal, a single image, a process beside the first."""
    return count < 2 or not is_first() or not sys.stderr.isatty() or os.environ.get("CI") == "true"
