"""The steps of gpu.py. Only gpu.py imports this folder; it imports everything below the scripts."""
