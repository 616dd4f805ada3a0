"""When progress is shown."""

import os
import sys


def quiet(count: int) -> bool:
    """Whether a progress bar would only disturb: no terminal, or a single image."""
    return count < 2 or not sys.stderr.isatty() or os.environ.get("CI") == "true"
