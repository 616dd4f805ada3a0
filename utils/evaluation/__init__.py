"""What the test scripts run.

Only they, benchmarks and `python -m metrics` import it; it imports nothing of training.
"""
