"""Short cuts of inference on a CPU: the same numbers in less time."""
