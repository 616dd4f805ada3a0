"""Result folders, images and figures.

evaluation and training import this folder; of utils it imports only commandline.
"""
