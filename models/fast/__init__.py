"""Short cuts on a CPU, the same numbers in less time: strips.py keeps layers in the processor's cache, series.py sums
the convolution exponential by Winograd's algorithm (winograd.py, winograd.c, compiled.py), in training too.

The networks import it; it imports nothing of them.
"""
