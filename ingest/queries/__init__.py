"""Queries that people keep."""
