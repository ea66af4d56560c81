"""Comparisons of two snapshots: how they differ row by row and in total, and why a total moved."""
