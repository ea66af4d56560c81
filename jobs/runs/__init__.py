"""Runs: the queue of the worker, who has which run, and how each ended."""
