"""Score fused images from the command line, in the repository's folder: `python -m metrics --help`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    if __package__ != "metrics":  # the installed dcinn.metrics has the functions alone
        place = "expected python -m metrics in the checkout"
        print(f"dcinn.metrics: found no command in the installed package, {place}", file=sys.stderr)
        sys.exit(2)
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # before a utils of the folder it is called from
    from utils.commandline.errors import single_line_errors
    from utils.evaluation.score import run

    single_line_errors(run, program="python -m metrics")()
