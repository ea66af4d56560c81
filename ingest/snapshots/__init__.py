"""Snapshots: freezes of everything, and reports, which are the rows of a query on one."""
