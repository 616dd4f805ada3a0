"""The code of the training scripts. Start at run.py, which passes the task (pansharpening.py, ...) to engine.py.

`parser` reads the options into `arguments`. `recipe` holds the numbers of a training, `settings` how it is run, and
`resume` what a checkpoint needs beside the network. Only scripts and benchmarks import this folder; it imports nothing
from evaluation.
"""
