"""Racks: claims with leases and fences, and the states of a counting round."""
