"""Prepare training files: `python -m data hmf --help`, `python -m data ps --help`."""

from utils.commandline.door import door
from utils.prepare import run

if __name__ == "__main__":
    door(run, program="python -m data", advice="prepare fewer --scenes, or a smaller scene")()
