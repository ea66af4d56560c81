"""Schedules of the worker, and the runs that come of them."""
