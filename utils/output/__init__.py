"""Result folders, images and figures.

evaluation and training import it; of utils it imports commandline alone.
"""
