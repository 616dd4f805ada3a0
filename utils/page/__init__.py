"""The page of demo.py: a tab a task, in front of the readers, networks and tables that the test scripts use.

`server` starts and ends it, `page` puts the tabs together, `handlers` stands between a click and the code, `visitors`
keeps what belongs to whom. Only demo.py imports it; of utils it imports commandline, output and evaluation. Gradio is
imported after `isolation` has set its environment.
"""
