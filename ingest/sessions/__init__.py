"""Sessions: one counter's work on one rack, its heartbeats and its completion."""
