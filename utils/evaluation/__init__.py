"""The code of the test scripts. Start at a task's file (pansharpening.py, ...).

`parser` has the options, `pick_network` loads the network, `evaluation` runs it over the images, and `table_rows`
measures them. Only scripts, the page (page/), benchmarks and `python -m metrics` (`score`) import this folder; it
imports nothing from training.
"""
