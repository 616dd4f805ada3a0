"""The code behind the scripts: commandline/ and output/, on these evaluation/ and training/, and page/ on evaluation/.

Only scripts, benchmarks and tests import it; it imports models, metrics and data. `prepare` and `export` are commands.
tests/documents/test_imports.py holds the rules of all folders on who may import whom.
"""
