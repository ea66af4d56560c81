"""Conflicts: records kept aside until a supervisor settles them."""
