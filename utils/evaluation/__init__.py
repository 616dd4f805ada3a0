"""What the test scripts run. Start at the task's file (pansharpening.py, ...): options by `parser`, the network by
`pick_network`, everything around the images by `evaluation`, the tables' rows by `table_rows`.

Only they, the page (page/), benchmarks and `python -m metrics` (`score`) import it; it imports nothing of training.
"""
