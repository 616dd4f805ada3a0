"""The web page of demo.py: one tab per task, with the readers, networks and tables of the test scripts.

`server` starts and ends it, `page` builds the tabs, `handlers` connects clicks to the code, and `visitors` keeps the
files of each visitor. Only demo.py imports this folder; of utils it imports commandline, output and evaluation. Gradio
is imported only after `isolation` has set its environment.
"""
