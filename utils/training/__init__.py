"""What the training scripts run.

Only they and benchmarks import it; it imports nothing of evaluation.
"""
