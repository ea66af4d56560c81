"""Benchmarks print ratios to a raw limit measured in the same run; they never decide whether a test passes."""
