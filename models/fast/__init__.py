"""Faster computation on a CPU, with the same results up to rounding.

strips.py keeps layers in the processor's cache. series.py sums the convolution exponential by Winograd's algorithm
(winograd.py, winograd.c), and reflect_conv.py is the 3x3 convolution by its like (reflected.py, reflected.c), both in
training, too. They share winograd_base.py, winograd.h, compiled.py, threads.py and scratch.py. The networks import this
folder, never the reverse.
"""
