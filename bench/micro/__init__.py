"""What the parts of a request cost by themselves: ``pytest bench/micro`` (pytest-benchmark)."""
