"""Short cuts of inference on a CPU, the same numbers in less time: strips.py keeps layers in the processor's cache,
series_fft.py sums the convolution exponential by Fourier transforms.

The networks import it; it imports nothing of them.
"""
