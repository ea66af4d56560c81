"""Racks and sessions whose counters have gone: who they are, and taking the racks back without harm to late work."""
