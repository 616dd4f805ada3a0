"""Everything the scripts are made of. Only scripts, benchmarks and tests import it; it imports models, metrics, data.

tests/documents/test_imports.py holds the rule of every folder: who may import whom.
"""
