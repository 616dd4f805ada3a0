"""What the training scripts run. Start at run.py, which gives the task's file (pansharpening.py, ...) to engine.py.

`parser` reads the options into `arguments`; `recipe` are the numbers of a training, `settings` how it is run; `resume`
is what a checkpoint needs beside the network. Only the scripts and benchmarks import it; it imports nothing of
evaluation.
"""
