"""When progress is shown."""

import os
import sys


def quiet(count: int) -> bool:
    """Whether a progress bar would only disturb: no terminal, or a single image."""
    nowhere = sys.stderr is None or sys.stderr.closed or not sys.stderr.isatty()
    return count < 2 or nowhere or os.environ.get("CI") == "true"
