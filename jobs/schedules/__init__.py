"""Schedules: what is due when, and what has become of it."""
