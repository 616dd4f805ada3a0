"""Everything the scripts are made of: commandline/, output/, on them evaluation/ and training/, on the first page/.

Only scripts, benchmarks and tests import it; it imports models, metrics, data. `prepare` and `export` are commands.
tests/documents/test_imports.py holds the rule of every folder: who may import whom.
"""
