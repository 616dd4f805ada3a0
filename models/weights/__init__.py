"""Files of weights, ours and the authors': found, read, checked, written.

It imports the networks, never the reverse.
"""
