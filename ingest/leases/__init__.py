"""Leases on racks, in Redis."""
