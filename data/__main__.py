"""Prepare training files: `python -m data hmf --help`, `python -m data ps --help`."""

from utils.commandline.errors import single_line_errors
from utils.prepare import run

if __name__ == "__main__":
    single_line_errors(run, program="python -m data", advice="prepare fewer --scenes, or a smaller scene")()
