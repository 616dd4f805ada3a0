"""Faster computation on a CPU, with the same results up to rounding.

strips.py keeps layers in the processor's cache. series.py sums the convolution exponential by Winograd's algorithm
(winograd.py, winograd.c, compiled.py), in training too. The networks import this folder, never the reverse.
"""
