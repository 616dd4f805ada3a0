"""What benchmarks/fuzz.py is made of: valid files, mutations of bytes and of meaning, readers, worker processes."""
