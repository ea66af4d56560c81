"""Live updates: what happens to racks and sessions, told to whoever listens."""
