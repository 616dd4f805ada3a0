"""The command that scores fused images, to be run in the repository's folder: `python -m metrics --help`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    if __package__ != "metrics":  # the installed dcinn.metrics has no command
        place = "expected python -m metrics in the checkout"
        print(f"dcinn.metrics: found no command in the installed package, {place}", file=sys.stderr)
        sys.exit(2)
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # finds our utils before one in the current folder
    from utils.commandline.errors import single_line_errors
    from utils.evaluation.score import run

    single_line_errors(run, program="python -m metrics")()
