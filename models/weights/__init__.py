"""Files of weights, ours and the authors'. Start at checkpoint.py: `load_pretrained`, `save_checkpoint`.

files.py finds, reads and writes them; author_names.py translates the authors' parameter names to ours. This folder
imports the networks, never the reverse.
"""
