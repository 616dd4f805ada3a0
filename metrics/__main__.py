"""Score fused images from the command line: `python -m metrics --help`."""

from utils.commandline.door import door
from utils.evaluation.score import run

if __name__ == "__main__":
    door(run, program="python -m metrics")()
