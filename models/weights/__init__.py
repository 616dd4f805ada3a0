"""Files of weights, ours and the authors'. Start at checkpoint.py: `load_pretrained`, `save_checkpoint`.

files.py finds, reads and writes them; author_names.py translates the authors' names. This folder imports the networks,
never the reverse.
"""
