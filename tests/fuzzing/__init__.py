"""The fuzzing of `python -m tests.fuzzing`: valid files, mutations of bytes and of meaning, readers, workers."""
