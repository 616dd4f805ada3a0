"""Files of weights, ours and the authors': found, read, checked, written."""
