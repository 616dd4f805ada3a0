"""The command that prepares training files: `python -m data hmf --help`, `python -m data ps --help`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # finds our utils before one in the current folder
    from utils.commandline.errors import single_line_errors
    from utils.prepare import run

    single_line_errors(run, program="python -m data", advice="prepare fewer --scenes, or a smaller scene")()
