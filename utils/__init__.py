"""Everything the scripts are made of: commandline/ and output/, on them evaluation/ and training/.

Only scripts, benchmarks and tests import it; it imports models, metrics, data. `prepare` and `export` are commands.
tests/documents/test_imports.py holds the rule of every folder: who may import whom.
"""
